import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Clock } from '../../../effects/clock.ts';
import { identify, isAlive, signalGroup, type ProcessIdentity } from '../../../effects/processes.ts';

const run = promisify(execFile);

/**
 * Ends an instance's whole process group: SIGTERM, SIGKILL at the deadline. A leader that ends early does not take the deadline from
 * the others of its group. Resolves when none is left.
 */
export async function endGroup(leader: ProcessIdentity, deadlineMs: number, clock: Clock): Promise<void> {
  signalGroup(leader, 'SIGTERM');
  if (await waitUntilEmpty(leader, deadlineMs, clock)) return;
  killGroup(leader);
  await waitUntilEmpty(leader, 5_000, clock);
}

/** Kills what is left of a group, its leader gone or not. */
export function killGroup(leader: ProcessIdentity): void {
  if (belongsToOthers(leader)) return;
  try {
    process.kill(-leader.pid, 'SIGKILL');
  } catch (error) {
    // EPERM is macOS's answer for a group of zombies only.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

async function waitUntilEmpty(leader: ProcessIdentity, limitMs: number, clock: Clock): Promise<boolean> {
  const deadline = clock.monotonic() + limitMs;
  while (await isGroupAlive(leader)) {
    if (clock.monotonic() >= deadline) return false;
    await clock.sleep(20);
  }
  return true;
}

async function isGroupAlive(leader: ProcessIdentity): Promise<boolean> {
  if (isAlive(leader)) return true;
  if (belongsToOthers(leader)) return false;
  try {
    process.kill(-leader.pid, 0);
  } catch {
    return false;
  }
  return process.platform === 'linux' ? hasLivingMember(leader.pid) : true;
}

/**
 * Kills what an instance left behind that ended unseen. Whether its pid has been given to a stranger meanwhile cannot be known, so
 * only processes that carry the instance's id are touched (Linux; elsewhere none).
 */
export async function killStrays(leader: ProcessIdentity, id: string): Promise<void> {
  if (process.platform !== 'linux') return;
  for (const pid of await pids()) {
    const [, , processGroup] = await statFields(pid);
    if (processGroup !== String(leader.pid)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(`SLUICE_INSTANCE=${id}`)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** A pid is not given away while a group of that number exists: another process with it means that the group has ended. */
function belongsToOthers(leader: ProcessIdentity): boolean {
  const now = identify(leader.pid);
  return now !== undefined && now.startTime !== leader.startTime;
}

/** Signals reach zombies too, so the members are looked at. */
async function hasLivingMember(group: number): Promise<boolean> {
  for (const pid of await pids()) {
    const [state, , processGroup] = await statFields(pid);
    if (processGroup === String(group) && state !== 'Z' && state !== 'X') return true;
  }
  return false;
}

/**
 * Process groups whose leader carries `SLUICE_INSTANCE=<id>` in its environment, by instance id: how a process is found whose pid was
 * never written down.
 */
export async function findInstanceProcesses(ids: readonly string[]): Promise<ReadonlyMap<string, ProcessIdentity>> {
  if (ids.length === 0) return new Map();
  const wanted = new Set(ids);
  const found = new Map<string, ProcessIdentity>();
  for (const { pid, environment } of await environmentsOfGroupLeaders()) {
    const id = /(?:^|[\0 ])SLUICE_INSTANCE=([^\0 ]+)/.exec(environment)?.[1];
    const identity = id !== undefined && wanted.has(id) ? identify(pid) : undefined;
    if (id !== undefined && identity !== undefined) found.set(id, identity);
  }
  return found;
}

async function environmentsOfGroupLeaders(): Promise<readonly { pid: number; environment: string }[]> {
  if (process.platform !== 'linux') return environmentsFromPs();
  const found: { pid: number; environment: string }[] = [];
  for (const pid of await pids()) {
    const [, , processGroup] = await statFields(pid);
    if (processGroup !== pid) continue;
    found.push({ pid: Number(pid), environment: await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '') });
  }
  return found;
}

async function environmentsFromPs(): Promise<readonly { pid: number; environment: string }[]> {
  const { stdout } = await run('ps', ['-axEww', '-o', 'pid=,pgid=,command='], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, group, environment] = /^\s*(\d+)\s+(\d+)\s(.*)$/.exec(line) ?? [];
    return pid !== undefined && pid === group && environment !== undefined ? [{ pid: Number(pid), environment }] : [];
  });
}

/** State, parent and process group: fields 3 to 5 of /proc/PID/stat, proc(5). */
async function statFields(pid: string): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function pids(): Promise<readonly string[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
}
