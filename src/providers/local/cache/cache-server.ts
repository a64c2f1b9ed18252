import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { chown, readFile, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Clock } from '../../../effects/clock.ts';
import { freePort } from '../../../effects/ports.ts';
import { type ProcessIdentity, startDetached, tailOf } from '../../../effects/processes.ts';
import { sluiceError } from '../../../errors/sluice-error.ts';
import { runningServer, stopServer } from '../server/server-process.ts';
import type { ServerUser } from '../server/server-user.ts';
import { answersPing } from './redis-protocol.ts';

export interface CacheServerSpec {
  readonly name: string;
  readonly program: string;
  readonly folder: string;
  readonly user: ServerUser | undefined;
  readonly endpoint: { readonly host: string; readonly port: number; readonly password: string };
  readonly clock: Clock;
  /** Where the program finds its libraries, as the control plane does. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The programs that can serve a cache of this type, best first: the two speak one protocol. */
export function programsFor(type: string): readonly string[] {
  return type === 'Redis' ? ['redis-server', 'valkey-server'] : ['valkey-server', 'redis-server'];
}

export function findProgram(names: readonly string[], path: string): string | undefined {
  const folders = path.split(delimiter).filter(isAbsolute);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Writes the server's configuration, with the password as its digest; whether it differs from what stood there. */
export async function writeConfiguration(spec: CacheServerSpec, memoryBytes: number): Promise<boolean> {
  const password = createHash('sha256').update(spec.endpoint.password).digest('hex');
  const text = [
    `bind ${spec.endpoint.host}`,
    `port ${spec.endpoint.port}`,
    `user default on #${password} ~* &* +@all`,
    `maxmemory ${memoryBytes}`,
    'maxmemory-policy allkeys-lru',
    'save ""',
    'appendonly no',
    'daemonize no',
    // The process is recognised by its command line.
    'set-proc-title no',
    `dir "${spec.folder}"`,
    `pidfile "${pidFile(spec.folder)}"`,
    '',
  ].join('\n');
  const file = configurationFile(spec.folder);
  const before = await readFile(file, 'utf8').catch(() => undefined);
  if (before === text) return false;
  await writeFile(file, text, { mode: 0o600 });
  if (spec.user) await chown(file, spec.user.uid, spec.user.gid);
  return true;
}

export function findCacheServer(folder: string): Promise<ProcessIdentity | undefined> {
  return runningServer(pidFile(folder), folder);
}

/** Runs the server, or adopts the one that runs, and returns once it answers. */
export async function runCacheServer(spec: CacheServerSpec): Promise<void> {
  const { host, port } = spec.endpoint;
  let ended = false;
  const logFile = join(spec.folder, 'server.log');
  if (!(await findCacheServer(spec.folder))) {
    if ((await freePort(host, port)) !== port) throw sluiceError('port_taken', { name: spec.name, host, port });
    const started = await startDetached({
      command: [spec.program, configurationFile(spec.folder)],
      directory: spec.folder,
      environment: spec.environment,
      logFile,
      ...(spec.user && { user: spec.user }),
    });
    void started.exit.then(() => {
      ended = true;
    });
  }
  const deadline = spec.clock.monotonic() + 20_000;
  while (!(await answersPing(spec.endpoint))) {
    if (ended || spec.clock.monotonic() > deadline) {
      throw sluiceError('cache_not_started', { name: spec.name, reason: (await tailOf(logFile, 600)) || 'it does not answer' });
    }
    await spec.clock.sleep(25, spec.signal);
  }
}

export async function haltCacheServer(folder: string, name: string, clock: Clock): Promise<void> {
  const running = await findCacheServer(folder);
  if (!running) return;
  const stopped = await stopServer(
    running,
    [
      ['SIGTERM', 10_000],
      ['SIGKILL', 5_000],
    ],
    clock,
  );
  if (!stopped)
    throw sluiceError('local_failure', { address: name, action: 'stop the server of', reason: `process ${running.pid} does not end` });
}

function configurationFile(folder: string): string {
  return join(folder, 'server.conf');
}

function pidFile(folder: string): string {
  return join(folder, 'server.pid');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
