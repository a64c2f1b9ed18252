import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../../src/testing/conditions.ts';

const example = fileURLToPath(new URL('..', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

export const promptsOf = (agent: string): string => join(example, 'prompts', agent);
export const policyOf = (agent: string): string => join(example, 'policies', `${agent}.json`);

export interface Agent {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it has written so far. */
  output(): string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts an agent as Sluice does: a copy of its folder with node_modules beside it, and an environment of its own. Resolves when it listens. */
export async function startAgent(name: string, environment: Record<string, string> = {}): Promise<Agent> {
  const run = await runAgent(name, environment);
  const listening = await until(`${name} to listen`, async () => {
    if (run.process.exitCode !== null) throw new Error(`${name} ended: ${run.output()}`);
    return /"address":\{"address":"([\d.]+)".*?"port":(\d+)/.exec(run.output()) ?? undefined;
  });
  return { ...run, url: `http://${listening[1]}:${listening[2]}` };
}

/** Starts an agent that is expected to refuse its configuration; resolves with what it wrote when it has ended. */
export async function startRefused(
  name: string,
  environment: Record<string, string> = {},
): Promise<{ code: number | null; output: string }> {
  const run = await runAgent(name, environment);
  const code = await run.ended;
  return { code, output: run.output() };
}

async function runAgent(
  name: string,
  environment: Record<string, string>,
): Promise<Omit<Agent, 'url'> & { ended: Promise<number | null> }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-agent-'));
  const directory = join(folder, 'source');
  await cp(join(example, 'agents', name), directory, { recursive: true });
  await symlink(modules, join(folder, 'node_modules'));
  const child = spawn(process.execPath, ['server.ts'], {
    cwd: directory,
    env: { HOST: '127.0.0.1', PORT: '0', ...environment },
    stdio: 'pipe',
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const ended = once(child, 'close').then(async ([code]) => {
    await rm(folder, { recursive: true, force: true });
    return code as number | null;
  });
  return {
    process: child,
    output: () => written,
    ended,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
