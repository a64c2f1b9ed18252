import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';

/** 'Slui' in ASCII: tells a file of Sluice from any other SQLite database (pragma application_id). */
const applicationId = 0x53_6c_75_69;

/** Step n brings a file from schema n to schema n + 1. Steps are only ever added. */
const migrations: readonly string[] = [
  `CREATE TABLE documents (
     collection TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (collection, key)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE log (
     log TEXT NOT NULL, sequence INTEGER NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (log, sequence)
   ) STRICT, WITHOUT ROWID;`,
];

/**
 * Opens the database file, creating it when there is none. A file that exists is never replaced: what is damaged, foreign or newer is
 * refused. The file and its companions are readable by their owner only.
 */
export function openDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) createFile(path);
  return translated(path, () => {
    const { size, mode } = statSync(path);
    if (size === 0) throw sluiceError('store_damaged', { path, reason: 'the file is empty' });
    if ((mode & 0o077) !== 0) chmodSync(path, 0o600);
    const database = connect(path);
    try {
      verify(path, database);
      migrate(path, database);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Made aside and linked into place, so that the file is whole from its first moment and an empty one is always damage. */
function createFile(path: string): void {
  if (existsSync(`${path}-wal`)) {
    throw sluiceError('store_damaged', { path, reason: 'the file is missing but its write-ahead log is there' });
  }
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    translated(path, () => {
      closeSync(openSync(aside, 'wx', 0o600));
      const database = connect(aside);
      database.exec(`PRAGMA application_id = ${applicationId}`);
      migrate(path, database);
      database.close();
      linkSync(aside, path);
      const folder = openSync(dirname(path), 'r');
      fsyncSync(folder);
      closeSync(folder);
    });
  } catch (error) {
    const another = error instanceof SluiceError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EEXIST';
    if (!another) throw error;
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${aside}${suffix}`, { force: true });
  }
}

function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  return database;
}

function verify(path: string, database: DatabaseSync): void {
  const [finding] = database.prepare('PRAGMA integrity_check(1)').all();
  const reason = finding?.['integrity_check'];
  if (reason !== 'ok') throw sluiceError('store_damaged', { path, reason: String(reason) });
  if (pragma(database, 'application_id') !== applicationId) {
    throw sluiceError('store_damaged', { path, reason: 'it is not a state database of Sluice' });
  }
}

function migrate(path: string, database: DatabaseSync): void {
  const found = pragma(database, 'user_version');
  if (found > migrations.length) throw sluiceError('store_too_new', { path, found, known: migrations.length });
  for (const [schema, statements] of migrations.entries()) {
    if (schema >= found) database.exec(`BEGIN IMMEDIATE; ${statements} PRAGMA user_version = ${schema + 1}; COMMIT;`);
  }
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Runs `work` and turns what SQLite and the file system throw into errors of the catalogue. */
export function translated<Value>(path: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const { errcode, message } = error as { errcode?: number; message: string };
    // Primary result codes SQLITE_CORRUPT and SQLITE_NOTADB; the low byte of an extended code is its primary code.
    const damaged = errcode !== undefined && [11, 26].includes(errcode & 0xff);
    throw sluiceError(damaged ? 'store_damaged' : 'store_unavailable', { path, reason: message }, { cause: error });
  }
}
