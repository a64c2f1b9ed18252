import type { SecretFields } from './kinds/secret.ts';
import type { ResolvedStack } from './stack.ts';

/** Names of the environment variables that secrets of the stack are read from, each once. */
export function secretVariableNames({ blocks }: Pick<ResolvedStack, 'blocks'>): readonly string[] {
  const names = blocks.flatMap(({ kind, fields }) => {
    const value = kind === 'secret' ? (fields['value'] as SecretFields['value'] | undefined) : undefined;
    return value !== undefined && 'env' in value ? [value.env] : [];
  });
  return [...new Set(names)];
}

/** Those of `values` that have one of the names. */
export function pickVariables(names: readonly string[], values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
