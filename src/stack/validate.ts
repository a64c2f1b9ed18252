import { reportMissingPaths } from './check/paths.ts';
import { declareTexts, type LoadOptions } from './load.ts';
import { readPolicyRules } from './policy/read-rules.ts';
import { createProblemList } from './problems.ts';
import { resolveStack } from './resolve.ts';
import { readStackFiles } from './source/files.ts';
import type { Loaded } from './stack.ts';

export interface ValidStack {
  readonly files: readonly string[];
  readonly environments: readonly string[];
  /** Blocks of all kinds. */
  readonly blocks: number;
}

/**
 * Checks the stack at `path` in every one of its environments. A path that the stack names and that is not there is only a warning: a
 * stack may be written before the code it ships. `loadStack`, which is for use, makes it an error.
 */
export async function validateStack(path: string, { variables }: Pick<LoadOptions, 'variables'> = {}): Promise<Loaded<ValidStack>> {
  const problems = createProblemList();
  const files = await readStackFiles(path, problems);
  const declared = files && !problems.hasErrors ? declareTexts(files, problems) : undefined;
  const start = files?.texts[0]?.positionAt(0);
  if (!files || !declared || !start) return { ok: false, problems: problems.sorted() };
  const names = files.texts.map(({ file }) => file);
  const environments = declared.declarations.environments.map(({ name }) => name);
  for (const environment of environments) {
    const stack = resolveStack(declared, { root: files.root, files: names, environment, variables, start }, problems);
    await reportMissingPaths(stack.blocks, stack.root, 'warning', problems);
  }
  await readPolicyRules(files.root, problems);
  if (problems.hasErrors) return { ok: false, problems: problems.sorted() };
  return { ok: true, value: { files: names, environments, blocks: declared.blocks.length }, problems: problems.sorted() };
}
