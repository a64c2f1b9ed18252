import { resolve } from 'node:path';
import { problem } from '../errors/sluice-error.ts';
import { reportMissingPaths } from './check/paths.ts';
import { readPolicyRules } from './policy/read-rules.ts';
import { createProblemList, type ProblemList } from './problems.ts';
import { declareStack, resolveStack } from './resolve.ts';
import { readStackFiles, type StackFiles } from './source/files.ts';
import { createSourceText } from './source/node.ts';
import { parseText } from './source/parse.ts';
import type { Loaded, ResolvedStack } from './stack.ts';

export interface LoadOptions {
  /** The first declared when absent; `default` in a stack that declares none. */
  readonly environment?: string | undefined;
  /** Values from the command line; they win over every other. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads, checks and resolves the stack at `path` for one environment. Never throws for what a path or a text holds: the result lists
 * everything that is wrong, each with its place. A path that the stack names and that is not there is an error.
 *
 * What is read of a folder, see `readStackFiles`: `stack.yaml` with `stack.d/*.yaml`, or else every YAML file directly in it.
 */
export async function loadStack(path: string, options: LoadOptions = {}): Promise<Loaded<ResolvedStack>> {
  const problems = createProblemList();
  const files = await readStackFiles(path, problems);
  if (!files || problems.hasErrors) return { ok: false, problems: problems.sorted() };
  const stack = resolveTexts(files, options, problems);
  if (!stack) return loaded(stack, problems);
  await reportMissingPaths(stack.blocks, stack.root, 'error', problems);
  const policies = await readPolicyRules(stack.root, problems);
  return loaded(policies.length === 0 ? stack : { ...stack, policies }, problems);
}

/** As `loadStack` for a text that is no file yet: touches no disk, so the paths it names are checked by their form only. */
export function loadStackText(
  text: string,
  options: LoadOptions & { readonly file?: string; readonly root?: string } = {},
): Loaded<ResolvedStack> {
  const problems = createProblemList();
  const files = { root: resolve(options.root ?? '.'), texts: [createSourceText(options.file ?? 'stack.yaml', text)] };
  return loaded(resolveTexts(files, options, problems), problems);
}

/** The declared stack of all texts; undefined when one of them is no YAML or none of them says anything. */
export function declareTexts({ texts }: StackFiles, problems: ProblemList) {
  const nodes = texts.flatMap((text) => parseText(text, problems) ?? []);
  if (problems.hasErrors) return undefined;
  const [first] = texts;
  if (nodes.length === 0 && first) {
    problems.add(() => problem('stack_empty', { path: first.file }, { position: first.positionAt(0) }));
    return undefined;
  }
  return declareStack(nodes, problems);
}

function resolveTexts(files: StackFiles, options: LoadOptions, problems: ProblemList): ResolvedStack | undefined {
  const declared = declareTexts(files, problems);
  const [first] = files.texts;
  if (!declared || !first) return undefined;
  const names = files.texts.map(({ file }) => file);
  return resolveStack(declared, { ...options, root: files.root, files: names, start: first.positionAt(0) }, problems);
}

function loaded(stack: ResolvedStack | undefined, problems: ProblemList): Loaded<ResolvedStack> {
  if (!stack || problems.hasErrors) return { ok: false, problems: problems.sorted() };
  return { ok: true, value: stack, problems: problems.sorted() };
}
