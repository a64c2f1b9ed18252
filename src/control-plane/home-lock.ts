import { chmodSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../effects/clock.ts';
import { isAlive } from '../effects/processes.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { readRecord, type HomePaths } from './home.ts';

export interface HomeLock {
  /** Whether the file is still where it was: it goes with a home that is removed, and then protects nothing. */
  isThere(): boolean;
  release(): void;
}

/**
 * Makes this process the one control plane of a home. The lock is SQLite's own exclusive file lock: the system gives it back when the
 * process ends, however it ends, so no lock is ever left behind and none has to be judged stale. Throws `home_in_use`, by then with the
 * holder on record. One that is locked by nobody on record is tried again for `patienceMs`: its holder has just begun, and who is turned
 * away is told whom to use instead, or has just been killed, and the system is still taking it down.
 */
export async function lockHome(paths: HomePaths, patienceMs = 2_000): Promise<HomeLock> {
  const deadline = systemClock.monotonic() + patienceMs;
  for (;;) {
    try {
      return lock(paths.lock);
    } catch (thrown) {
      if ((thrown as { errcode?: number }).errcode !== sqliteBusy) throw thrown;
      const holder = await readRecord(paths.home);
      if ((holder !== undefined && isAlive(holder)) || systemClock.monotonic() >= deadline) {
        throw sluiceError('home_in_use', { home: paths.home, pid: holder?.pid ?? 0 }, { cause: thrown });
      }
    }
    await systemClock.sleep(20);
  }
}

const sqliteBusy = 5;

function lock(file: string): HomeLock {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    chmodSync(file, 0o600);
    // Nothing is ever written, so there is nothing to roll back.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  const own = inodeOf(file);
  return { isThere: () => [own, 'unknown'].includes(inodeOf(file)), release: () => database.close() };
}

/** Undefined where there is no file; `unknown` where nobody can tell just now. */
function inodeOf(file: string): number | 'unknown' | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })?.ino;
  } catch {
    return 'unknown';
  }
}
