import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../effects/clock.ts';
import { freePort } from '../../../effects/ports.ts';
import { type ProcessIdentity, startDetached, tailOf } from '../../../effects/processes.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import { runningServer, stopServer } from '../server/server-process.ts';
import type { ServerUser } from '../server/server-user.ts';
import { dataFolder, programEnvironment } from './cluster.ts';
import { administratorAnswers, type Endpoint } from './roles.ts';

export interface ServerSpec {
  readonly name: string;
  readonly programs: string;
  readonly folder: string;
  readonly user: ServerUser | undefined;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

const readyWithinMs = 60_000;
const orphansEndWithinMs = 20_000;
const largestLog = 10 * 2 ** 20;

/** The server that runs on this folder, also one that another control plane has started. */
export function findServer(folder: string): Promise<ProcessIdentity | undefined> {
  return findServerOn(dataFolder(folder));
}

/** The same by the folder of the data itself. */
export function findServerOn(data: string): Promise<ProcessIdentity | undefined> {
  return runningServer(pidFile(data), data);
}

function pidFile(data: string): string {
  return join(data, 'postmaster.pid');
}

/**
 * Runs the server, or adopts the one that runs, and returns once it accepts connections. Throws `port_taken` when another program has its
 * port, and `database_not_started` with the end of its log when it gives up.
 */
export async function runServer(spec: ServerSpec): Promise<void> {
  const running = await findServer(spec.folder);
  if (running) {
    await waitUntilReady(spec);
    return;
  }
  const { host, port } = spec.endpoint;
  if ((await freePort(host, port)) !== port) throw sluiceError('port_taken', { name: spec.name, host, port });
  const logFile = join(spec.folder, 'server.log');
  await keepLogSmall(logFile);
  const deadline = spec.clock.monotonic() + orphansEndWithinMs;
  for (;;) {
    const ended = await startOnce(spec, logFile);
    if (ended === undefined) return;
    if (!ended.includes('pre-existing shared memory block') || spec.clock.monotonic() > deadline) {
      throw sluiceError('database_not_started', { name: spec.name, reason: ended });
    }
    // Processes of a server that was killed end by themselves: when they notice it, or have archived the segment they are at.
    await spec.clock.sleep(100, spec.signal);
  }
}

/** Undefined once the server accepts connections; the end of its log when it gives up. */
async function startOnce(spec: ServerSpec, logFile: string): Promise<string | undefined> {
  // After a restart of the system the pid in it may be another program's, and PostgreSQL would refuse to start.
  await rm(pidFile(dataFolder(spec.folder)), { force: true });
  const started = await startDetached({
    command: [join(spec.programs, 'postgres'), '-D', dataFolder(spec.folder)],
    directory: spec.folder,
    environment: programEnvironment,
    logFile,
    ...(spec.user && { user: spec.user }),
  });
  const over = new AbortController();
  void started.exit.then(() => over.abort());
  const isOver = async (): Promise<boolean> => over.signal.aborted && !(await findServer(spec.folder));
  return (await waitUntilReady(spec, isOver)) ? undefined : tailOf(logFile, 600);
}

/** Ends connections, writes everything down and archives it ("fast shutdown"); the data stays. Success when no server runs. */
export function haltServer(folder: string, name: string, clock: Clock): Promise<void> {
  return haltServerOn(dataFolder(folder), name, clock);
}

/** `discarded` data needs no care: the server ends at once. */
export async function haltServerOn(data: string, name: string, clock: Clock, then: 'kept' | 'discarded' = 'kept'): Promise<void> {
  const running = await findServerOn(data);
  if (!running) return;
  const stopped = await stopServer(
    running,
    [...(then === 'kept' ? [['SIGINT', 20_000] as const] : []), ['SIGQUIT', 5_000], ['SIGKILL', 5_000]],
    clock,
  );
  if (!stopped)
    throw sluiceError('local_failure', { address: name, action: 'stop the server of', reason: `process ${running.pid} does not end` });
}

/** False when the server is over before it accepts connections. */
async function waitUntilReady(spec: ServerSpec, isOver: () => Promise<boolean> = async () => false): Promise<boolean> {
  const deadline = spec.clock.monotonic() + readyWithinMs;
  for (;;) {
    if (await isOver()) return false;
    const answer = await administratorAnswers(spec.endpoint);
    if (answer === 'yes') return true;
    if (answer === 'refused')
      throw sluiceError('database_not_started', { name: spec.name, reason: 'it does not accept the password of this home' });
    if (spec.clock.monotonic() > deadline) {
      throw sluiceError('database_not_started', { name: spec.name, reason: `no answer within ${readyWithinMs / 1000} s` });
    }
    await spec.clock.sleep(25, spec.signal);
  }
}

async function keepLogSmall(file: string): Promise<void> {
  const size = await stat(file).then(
    (status) => status.size,
    () => 0,
  );
  if (size < largestLog) return;
  await rm(`${file}.1`, { force: true });
  await rename(file, `${file}.1`);
}
