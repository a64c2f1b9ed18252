import { execFile } from 'node:child_process';

/** What the checks look at; a test gives another machine. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly nodeVersion: string;
  readonly searchPath: string;
  /** By which the container engine is found. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Home that is or would be used, and the folder of the stack. */
  readonly home: string;
  readonly root: string;
  /** First line the program prints; undefined when it is missing, fails, or takes longer than three seconds. */
  readonly firstLineOf: (program: string, ...parameters: readonly string[]) => Promise<string | undefined>;
}

export function thisMachine(home: string, root: string): Machine {
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    searchPath: process.env['PATH'] ?? '',
    environment: process.env,
    home,
    root,
    firstLineOf: (program, ...parameters) =>
      new Promise((resolve) => {
        execFile(program, parameters, { timeout: 3_000, encoding: 'utf8' }, (error, stdout, stderr) => {
          resolve(error ? undefined : `${stdout}\n${stderr}`.trim().split('\n')[0]?.trim());
        });
      }),
  };
}
