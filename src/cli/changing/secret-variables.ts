import type { StackTarget } from '../target/target.ts';

type Shell = Readonly<Record<string, string | undefined>>;

interface Choice {
  readonly environment: string | undefined;
  readonly var: Readonly<Record<string, string>>;
}

/**
 * The values this shell has for the variables that the stack's `{ env }` secrets name, and no others: the control plane may have been
 * started by another shell, before they were exported. Empty for a stack that cannot be read: the plan says why.
 */
export async function secretVariablesFor(target: StackTarget, choice: Choice, shell: Shell): Promise<Readonly<Record<string, string>>> {
  if (!(await mayHaveSecrets(target.path))) return {};
  const [{ loadStack }, { pickVariables, secretVariableNames }] = await Promise.all([
    import('../../stack/load.ts'),
    import('../../stack/secret-variables.ts'),
  ]);
  const loaded = await loadStack(target.path, { environment: choice.environment, variables: choice.var });
  return loaded.ok ? pickVariables(secretVariableNames(loaded.value), shell) : {};
}

/** Most stacks need not be read twice. */
async function mayHaveSecrets(path: string): Promise<boolean> {
  const [{ readStackFiles }, { createProblemList }] = await Promise.all([
    import('../../stack/source/files.ts'),
    import('../../stack/problems.ts'),
  ]);
  const files = await readStackFiles(path, createProblemList());
  return files?.texts.some(({ text }) => /\bsecret\b/.test(text) && /\benv\b/.test(text)) ?? false;
}
