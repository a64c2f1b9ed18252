import { rm, writeFile, chown } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../../effects/clock.ts';
import { freePort } from '../../../../effects/ports.ts';
import { startDetached, tailOf } from '../../../../effects/processes.ts';
import { sluiceError } from '../../../../errors/sluice-error.ts';
import type { Operation } from '../../../provider.ts';
import type { ServerUser } from '../../server/server-user.ts';
import { restoreCommand } from '../archive/archive-commands.ts';
import { programEnvironment } from '../cluster.ts';
import { administratorAnswers, type Endpoint } from '../roles.ts';

export interface RecoverySpec {
  readonly name: string;
  readonly programs: string;
  /** Folder of the server; its data to recover is in `data`. */
  readonly folder: string;
  readonly data: string;
  readonly user: ServerUser | undefined;
  readonly host: string;
  readonly password: string;
  readonly timeline: number;
  readonly clock: Clock;
}

export type Recovered = { readonly outcome: 'ready'; readonly endpoint: Endpoint } | { readonly outcome: 'log ended before the time' };

/**
 * Recovers the data to a time, or to the end of the log when there is none, by a server on a port of its own that nobody knows. It accepts
 * connections only once it has reached the time and has begun a timeline of its own; what is asked of it is the answer of the recovered
 * database. The server runs on when it is ready, and it
 * is the caller's to stop it also after an error. Recovery settings are given on the command line: nothing of them stays in the data.
 */
export async function recover(
  spec: RecoverySpec,
  time: string | undefined,
  { signal, progress }: Pick<Operation, 'signal' | 'progress'>,
): Promise<Recovered> {
  const endpoint: Endpoint = { host: spec.host, port: await freePort(spec.host), password: spec.password };
  const logFile = join(spec.folder, 'restore.log');
  await rm(logFile, { force: true });
  const mark = join(spec.data, 'recovery.signal');
  await writeFile(mark, '', { mode: 0o600 });
  if (spec.user) await chown(mark, spec.user.uid, spec.user.gid);
  const settings = {
    port: String(endpoint.port),
    // Standbys must not be smaller than their primary; this one is asked nothing before it has ended its recovery.
    hot_standby: 'off',
    restore_command: restoreCommand,
    recovery_target_timeline: String(spec.timeline),
    recovery_target_action: 'promote',
    ...(time !== undefined && { recovery_target_time: time, recovery_target_inclusive: 'on' }),
  };
  const started = await startDetached({
    command: [
      join(spec.programs, 'postgres'),
      '-D',
      spec.data,
      ...Object.entries(settings).flatMap(([setting, value]) => ['-c', `${setting}=${value}`]),
    ],
    directory: spec.folder,
    environment: programEnvironment,
    logFile,
    ...(spec.user && { user: spec.user }),
  });
  let ended = false;
  void started.exit.then(() => {
    ended = true;
  });
  let told = '';
  for (;;) {
    const answer = await administratorAnswers(endpoint);
    if (answer === 'yes') return { outcome: 'ready', endpoint };
    if (answer === 'refused') {
      throw sluiceError('database_restore_failed', { name: spec.name, reason: 'the backup does not know the password of this home' });
    }
    if (ended) {
      const log = await tailOf(logFile, 4_000);
      if (log.includes('recovery ended before configured recovery target was reached')) return { outcome: 'log ended before the time' };
      throw sluiceError('database_restore_failed', { name: spec.name, reason: reasonIn(log) });
    }
    const [, segment] =
      /restored log file "(\w{24})" from archive(?![^]*restored log file "\w{24}")/.exec(await tailOf(logFile, 4_000)) ?? [];
    if (segment !== undefined && segment !== told) progress(`replaying the write-ahead log: ${segment}`);
    told = segment ?? told;
    await spec.clock.sleep(50, signal);
  }
}

function reasonIn(log: string): string {
  const lines = log.split('\n').filter((line) => /\b(FATAL|PANIC):/.test(line));
  return (lines.at(-1) ?? log.slice(-400)).replace(/^.*?(FATAL|PANIC):\s*/, '').trim();
}
