import type { Loaded, ResolvedStack } from './stack.ts';

export interface LoadOptions {
  /** The first declared when absent. */
  readonly environment?: string | undefined;
  /** Values from the command line; they win over every other. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

/** Reads, checks and resolves the stack at `path` (a file or a folder) for one environment. */
export async function loadStack(path: string, options: LoadOptions = {}): Promise<Loaded<ResolvedStack>> {
  await Promise.resolve();
  throw new Error(`loadStack is being built: ${path} ${JSON.stringify(options)}`);
}
