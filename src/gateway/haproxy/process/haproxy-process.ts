import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Clock } from '../../../effects/clock.ts';
import { tailOf } from '../../../effects/processes.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import { openRuntimeSession, type RuntimeSession } from './runtime-session.ts';

export interface HaproxyProcess {
  readonly pid: number;
  readonly session: RuntimeSession;
  /** What it tells of requests: its standard output. */
  readonly told: Readable;
  /** Resolves when the process has ended, however it did. */
  readonly exit: Promise<void>;
  hasExited(): boolean;
  signal(signal: 'SIGUSR1' | 'SIGTERM' | 'SIGKILL'): void;
}

export interface ProcessSpec {
  /** Absolute path of the program. */
  readonly binary: string;
  readonly config: string;
  readonly socket: string;
  readonly log: string;
  /** Listening sockets; the child has them as 3, 4, ... in this order. */
  readonly fds: readonly number[];
}

/**
 * Settings of glibc: memory that buffers have used is kept for the next ones, where it would be given back to the kernel and fetched again
 * many times a second under load (6 to 16 % of the processor time of HAProxy).
 */
export const haproxyMemory: Readonly<Record<string, string>> = {
  MALLOC_TRIM_THRESHOLD_: String(256 * 1024 * 1024),
  MALLOC_TOP_PAD_: String(16 * 1024 * 1024),
};

/** Number of the first descriptor a child is given beyond standard input, output and error. */
export const firstFd = 3;
const startLimitMs = 10_000;

/**
 * Starts HAProxy in the foreground, in the process group of this process, and resolves once it serves and takes commands. It lives on when this
 * process ends. Throws `gateway_start_failed` with its last words; then none is left.
 */
export async function startHaproxy(spec: ProcessSpec, clock: Clock): Promise<HaproxyProcess> {
  const child = await launch(spec, ['-db', '-f', spec.config]);
  let ended = false;
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true;
      resolve();
    });
  });
  // It is a pipe, by `launch`: one that holds nobody up.
  const told = child.stdout as Socket;
  told.unref();
  child.unref();
  const deadline = clock.monotonic() + startLimitMs;
  for (;;) {
    const session = await openRuntimeSession(spec.socket).catch(() => undefined);
    if (session) {
      return { pid: child.pid as number, session, told, exit, hasExited: () => ended, signal: (signal) => child.kill(signal) };
    }
    if (ended || clock.monotonic() > deadline) {
      child.kill('SIGKILL');
      throw sluiceError('gateway_start_failed', { reason: `HAProxy ended: ${lastWords(await tailOf(spec.log))}` });
    }
    await clock.sleep(5);
  }
}

async function launch(spec: ProcessSpec, parameters: readonly string[]): Promise<ChildProcess> {
  const log = await open(spec.log, 'a', 0o600);
  try {
    const child = spawn(spec.binary, parameters, { cwd: '/', env: { ...haproxyMemory }, stdio: ['ignore', 'pipe', log.fd, ...spec.fds] });
    await once(child, 'spawn');
    return child;
  } finally {
    await log.close();
  }
}

function lastWords(log: string): string {
  const lines = log.trim().split('\n');
  const alerts = lines.filter((line) => line.includes('[ALERT]'));
  return (alerts.length > 0 ? alerts : lines).slice(-4).join(' ').slice(0, 1_000);
}
