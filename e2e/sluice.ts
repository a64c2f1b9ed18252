import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../bin/sluice.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface World {
  /** Folder the command runs in. */
  readonly directory: string;
  readonly home: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the command as a user would, in a process of its own, and waits for it. */
export function sluice(world: World, ...parameters: string[]): Promise<Outcome> {
  const child = start(world, ...parameters);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Starts the command and leaves it running. */
export function start(world: World, ...parameters: string[]): ChildProcess {
  return spawn(process.execPath, [command, ...parameters], {
    cwd: world.directory,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      SLUICE_PORT_OFFSET: process.env['SLUICE_PORT_OFFSET'],
      HOME: world.directory,
      SLUICE_HOME: world.home,
      NO_COLOR: '1',
      ...world.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the command and fails with everything it printed unless it ends with `code`. */
export async function expectCode(code: number, world: World, ...parameters: string[]): Promise<Outcome> {
  const outcome = await sluice(world, ...parameters);
  if (outcome.code !== code) {
    throw new Error(`sluice ${parameters.join(' ')} ended with ${outcome.code}, not ${code}\n${outcome.stdout}\n${outcome.stderr}`);
  }
  return outcome;
}

export interface ControlPlane {
  readonly pid: number;
  get(path: string): Promise<unknown>;
  text(path: string): Promise<string>;
}

/** The control plane that serves `world`, reached in the way of every client. */
export async function controlPlane(world: World): Promise<ControlPlane> {
  const { pid, url } = JSON.parse(await readFile(join(world.home, 'control-plane.json'), 'utf8')) as { pid: number; url: string };
  const key = (await readFile(join(world.home, 'admin.key'), 'utf8')).trim();
  const text = async (path: string): Promise<string> => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return answer.text();
  };
  return { pid, text, get: async (path) => JSON.parse(await text(path)) as unknown };
}
