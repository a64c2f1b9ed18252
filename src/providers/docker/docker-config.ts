import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of Docker's own configuration. */
function dockerFolder(environment: Environment): string {
  return environment['DOCKER_CONFIG'] || join(environment['HOME'] || homedir(), '.docker');
}

/** What a file in it holds; undefined when it cannot be read, null when it is no JSON. */
export function readDockerFile(environment: Environment, ...path: readonly string[]): unknown {
  let text: string;
  try {
    text = readFileSync(join(dockerFolder(environment), ...path), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
