import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** Proxy on one core; what loads it and what stands behind it on another. */
export const cores = { proxy: 0, load: 1 } as const;
/** Clock ticks of /proc: 100 a second on every Linux. */
const tickMs = 10;

/** Starts a program pinned to a core, with room for 10,000 connections on both of its sides. */
export function startPinned(core: number, program: string, parameters: readonly string[]): ChildProcess {
  const command = 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; core=$1; shift; exec taskset -c "$core" "$@"';
  const child = spawn('sh', ['-c', command, 'sh', String(core), program, ...parameters], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Files one process may have open, as `startPinned` starts it. A proxy needs two for a connection: the client's and the upstream's. */
export function openFiles(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; ulimit -n'], { encoding: 'utf8' });
  return Number(limit);
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** All it says until it ends. Throws when it fails. */
export async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (part: Buffer) => (output += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code}: ${output.slice(-1_000)}`);
  return output;
}

/** Ends a program and every process it has started. */
export async function end(child: ChildProcess): Promise<void> {
  const family = familyOf(child.pid as number);
  for (const pid of family) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      continue;
    }
  }
  while (familyOf(child.pid as number).length > 0 && child.exitCode === null && child.signalCode === null) await pause(20);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves once somebody listens there. */
export async function listens(port: number, limitMs = 20_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isThere) return;
    if (performance.now() > deadline) throw new Error(`nobody listens on port ${port}`);
    await pause(30);
  }
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly cpuMs: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may contain anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      parent: Number(fields[1]),
      group: Number(fields[2]),
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    };
  } catch {
    return undefined;
  }
}

/** A process, those of its group, and all that descend from it. */
function familyOf(root: number): readonly number[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  const family = new Set(all.filter(({ pid, group }) => pid === root || group === root).map(({ pid }) => pid));
  let before = -1;
  while (before !== family.size) {
    before = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}

/** Processor time that a program and all it started have used. */
export function cpuMsOf(root: number): number {
  return familyOf(root).reduce((sum, pid) => sum + (statOf(pid)?.cpuMs ?? 0), 0);
}

/** Memory of a program and all it started, what they share counted once (Pss). */
export function memoryMbOf(root: number): number {
  let kilobytes = 0;
  for (const pid of familyOf(root)) {
    try {
      kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      continue;
    }
  }
  return kilobytes / 1_024;
}
