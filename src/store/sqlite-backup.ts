import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { sluiceError } from '../errors/sluice-error.ts';
import type { BackupSummary } from './durable-store.ts';
import { defineFunctions, migrations, schemaOf, verify } from './sqlite-schema.ts';

/**
 * Copies the database at `path` while it is in use, by SQLite's online backup: as it is at one moment, off the main thread, and nobody
 * waits. Over a connection of its own, because a transaction on the same one would fail it; in one step, because a change between two
 * steps would begin it anew.
 */
export function backUpDatabase(path: string, target: string, known = migrations.length): Promise<BackupSummary> {
  return writeBackup(target, known, async (aside) => {
    const database = new DatabaseSync(path, { timeout: 5_000 });
    try {
      await backup(database, aside, { rate: allPages });
    } finally {
      database.close();
    }
  });
}

const allPages = 2 ** 31 - 1;

/**
 * Lets `fill` write a database aside, makes one file of it, verifies it and links it into place: `target` is whole or not there, and
 * never overwritten.
 */
export async function writeBackup(target: string, known: number, fill: (aside: string) => Promise<unknown>): Promise<BackupSummary> {
  if (existsSync(target)) throw sluiceError('backup_exists', { path: target });
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const aside = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    closeSync(openSync(aside, 'wx', 0o600));
    await fill(aside);
    const summary = settle(aside, known);
    linkSync(aside, target);
    syncPath(dirname(target));
    return { ...summary, file: target };
  } finally {
    removeDatabase(aside);
  }
}

/** Puts what its log holds into the file itself, verifies it, and syncs it: from here on it is one file that says all. */
export function settle(path: string, known: number): BackupSummary {
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = DELETE');
    defineFunctions(database);
    verify(path, database, known, Number.MAX_SAFE_INTEGER);
    const count = (table: string): number => Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
    const summary = { schema: schemaOf(database), documents: count('documents'), entries: count('log') };
    database.close();
    syncPath(path);
    return { file: path, bytes: statSync(path).size, ...summary };
  } finally {
    if (database.isOpen) database.close();
  }
}

export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}

export function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
