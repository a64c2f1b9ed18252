import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type Prompt = (values: Readonly<Record<string, string>>) => string;

/**
 * Reads the Markdown files of the folder `SLUICE_PROMPTS`; `{{name}}` in a prompt is a place for a value. Throws when one of `names` is
 * missing: an agent that lost half its prompts must not start.
 */
export function readPrompts<Name extends string>(folder: string | undefined, names: readonly Name[]): Readonly<Record<Name, Prompt>> {
  if (folder === undefined) throw new Error("SLUICE_PROMPTS is not set: declare 'prompts' for this service");
  const found = new Map(readdirSync(folder).map((file) => [basename(file, '.md'), join(folder, file)]));
  const prompts = names.map((name) => {
    const file = found.get(name);
    if (file === undefined) throw new Error(`${name}.md is missing among the prompts in ${folder}`);
    const template = readFileSync(file, 'utf8').trim();
    if (template === '') throw new Error(`${name}.md among the prompts is empty`);
    return [name, (values: Readonly<Record<string, string>>) => fill(template, values)] as const;
  });
  return Object.fromEntries(prompts) as Record<Name, Prompt>;
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (place, name: string) => (Object.hasOwn(values, name) ? (values[name] as string) : place));
}
