import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sluiceError } from '../errors/sluice-error.ts';
import { readRecord, type HomePaths } from './home.ts';

export interface HomeLock {
  release(): void;
}

/**
 * Makes this process the one control plane of a home. The lock is SQLite's own exclusive file lock: the system gives it back the moment
 * the process ends, however it ends, so no lock is ever left behind and none has to be judged stale. Throws `home_in_use`.
 */
export async function lockHome(paths: HomePaths): Promise<HomeLock> {
  const database = new DatabaseSync(paths.lock, { timeout: 0 });
  try {
    chmodSync(paths.lock, 0o600);
    // Nothing is ever written, so there is nothing to roll back.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    if ((thrown as { errcode?: number }).errcode !== sqliteBusy) throw thrown;
    const pid = (await readRecord(paths.home))?.pid ?? 0;
    throw sluiceError('home_in_use', { home: paths.home, pid }, { cause: thrown });
  }
  return { release: () => database.close() };
}

const sqliteBusy = 5;
