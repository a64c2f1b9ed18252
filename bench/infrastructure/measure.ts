import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Measured {
  /** From start to end of the process. */
  readonly seconds: number;
  /** Most memory it ever had resident, as the system counts it; undefined where the system does not tell. */
  readonly memoryMb?: number;
  readonly output: string;
}

/** Runs a program in a process of its own. Throws when it fails. */
export async function measure(program: string, parameters: readonly string[], folder: string): Promise<Measured> {
  const began = performance.now();
  const child = spawn(program, parameters, { cwd: folder, env: { ...process.env, ...surroundings }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, complaints] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  child.stderr.on('data', (part: Buffer) => (complaints += part.toString()));
  let peak: number | undefined;
  const watch = setInterval(() => void peakOf(child.pid).then((found) => (peak = found ?? peak)), 25);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1_000;
  if (code !== 0) throw new Error(`${program} ${parameters.join(' ')} ended with ${code}: ${complaints.slice(-2_000)}`);
  return { seconds, output, ...(peak !== undefined && { memoryMb: peak }) };
}

/** Peers tell nobody; compiled modules are kept from run to run, as a control plane keeps its own. */
const surroundings = {
  NODE_COMPILE_CACHE: join(tmpdir(), 'sluice-bench-modules'),
  CHECKPOINT_DISABLE: '1',
  TF_IN_AUTOMATION: '1',
  DO_NOT_TRACK: '1',
  ALCHEMY_CI_STATE_STORE_CHECK: 'false',
};

/** The system's own high-water mark of a process (Linux). */
async function peakOf(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return found === undefined ? undefined : Math.round(Number(found) / 1_024);
}
