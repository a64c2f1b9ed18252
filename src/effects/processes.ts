import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { systemClock } from './clock.ts';

/** A process that can be told from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: boot and start time on Linux, start time elsewhere. */
  readonly startTime: string;
}

export interface DetachedProcess {
  /** argv; never passed through a shell. */
  readonly command: readonly [string, ...string[]];
  readonly directory: string;
  /** The complete environment: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Standard output and error are appended to this file; the file is created with mode 0600. */
  readonly logFile: string;
  /** Drops to this user and group; only for a parent that runs as root. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface StartedProcess extends ProcessIdentity {
  /** Resolves when the process ends, for as long as the parent lives. */
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/**
 * Starts a process in a session and process group of its own: it lives on when this one ends. Rejects when the program cannot be
 * started at all (not found, not executable).
 */
export async function startDetached(spec: DetachedProcess): Promise<StartedProcess> {
  const [program, ...parameters] = spec.command;
  const log = await open(spec.logFile, 'a', 0o600);
  try {
    const child = spawn(program, parameters, {
      cwd: spec.directory,
      env: { ...spec.environment },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...(spec.user && { uid: spec.user.uid, gid: spec.user.gid }),
    });
    const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid as number;
    return { pid, startTime: startTimeOf(pid) ?? 'ended', exit };
  } finally {
    await log.close();
  }
}

/** Whether exactly this process is still running; a zombie and a reused pid are not. */
export function isAlive(identity: ProcessIdentity): boolean {
  return startTimeOf(identity.pid) === identity.startTime;
}

/** Signals the whole group of the process. False when the process is gone already. */
export function signalGroup(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(-identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** SIGTERM to the group, then SIGKILL at the deadline. Resolves once the process is gone, however it went. */
export async function terminateGroup(identity: ProcessIdentity, deadlineMs: number, clock = systemClock): Promise<void> {
  signalGroup(identity, 'SIGTERM');
  if (await waitUntilGone(identity, deadlineMs, clock)) return;
  signalGroup(identity, 'SIGKILL');
  await waitUntilGone(identity, 5_000, clock);
}

async function waitUntilGone(identity: ProcessIdentity, limitMs: number, clock: typeof systemClock): Promise<boolean> {
  const deadline = clock.monotonic() + limitMs;
  while (isAlive(identity)) {
    if (clock.monotonic() >= deadline) return false;
    await clock.sleep(20);
  }
  return true;
}

/** Identity of a running process; undefined when there is none with this pid. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

function startTimeOf(pid: number): string | undefined {
  return process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

/** Field 22 of /proc/PID/stat (proc(5)): ticks since boot; with the boot id it is unique. */
function startTimeFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${bootId()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

let cachedBootId: string | undefined;
function bootId(): string {
  cachedBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return cachedBootId;
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return state === undefined || state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}

/** Last `limit` bytes of a log file as text; empty when there is none. For error messages about a process that did not start. */
export async function tailOf(file: string, limit = 2_000): Promise<string> {
  try {
    const text = await readFile(file);
    return text.subarray(Math.max(0, text.length - limit)).toString('utf8');
  } catch {
    return '';
  }
}
