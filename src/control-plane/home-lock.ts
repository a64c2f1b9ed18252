import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../effects/clock.ts';
import { isAlive } from '../effects/processes.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { readRecord, type ControlPlaneRecord, type HomePaths } from './home.ts';

export interface HomeLock {
  release(): void;
}

/**
 * Makes this process the one control plane of a home. The lock is SQLite's own exclusive file lock: the system gives it back the moment
 * the process ends, however it ends, so no lock is ever left behind and none has to be judged stale. Throws `home_in_use`, by then with the
 * holder on record: one that has just begun is given `patienceMs` for that, so that who is turned away can be told whom to use instead.
 */
export async function lockHome(paths: HomePaths, patienceMs = 2_000): Promise<HomeLock> {
  const database = new DatabaseSync(paths.lock, { timeout: 0 });
  try {
    chmodSync(paths.lock, 0o600);
    // Nothing is ever written, so there is nothing to roll back.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    if ((thrown as { errcode?: number }).errcode !== sqliteBusy) throw thrown;
    const pid = (await holderOf(paths, patienceMs))?.pid ?? 0;
    throw sluiceError('home_in_use', { home: paths.home, pid }, { cause: thrown });
  }
  return { release: () => database.close() };
}

const sqliteBusy = 5;

async function holderOf(paths: HomePaths, patienceMs: number): Promise<ControlPlaneRecord | undefined> {
  const deadline = systemClock.monotonic() + patienceMs;
  for (;;) {
    const record = await readRecord(paths.home);
    if ((record !== undefined && isAlive(record)) || systemClock.monotonic() >= deadline) return record;
    await systemClock.sleep(20);
  }
}
