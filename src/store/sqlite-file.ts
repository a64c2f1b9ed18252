import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, linkSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Clock, systemClock } from '../effects/clock.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import { backUpDatabase, removeDatabase, syncPath } from './sqlite-backup.ts';
import {
  applicationId,
  backupFolder,
  backupName,
  backupsOf,
  damaged,
  defineFunctions,
  migrate,
  migrations,
  schemaOf,
  verify,
} from './sqlite-schema.ts';
import { demandNoLostCommits } from './write-ahead-log.ts';

export interface DatabaseFile {
  readonly path: string;
  /** Files and folders that are only there once there has been a database: beside them a missing one is damage, never a first start. */
  readonly evidence?: readonly string[];
  readonly clock?: Clock;
  /** Before the schema is brought forward; default: yes. */
  readonly backUp?: boolean;
  /** For tests: other schemas than today's. */
  readonly steps?: readonly string[];
}

/** The verified replacement of a database, from the moment a restore can no longer be lost until it is in place. */
export function pendingRestore(path: string): string {
  return `${path}.restoring`;
}

/**
 * Opens the database file, creating it when there never was one. A file that exists is never replaced: what is damaged, foreign or newer
 * is refused. An older schema is brought forward in one transaction, after a backup. The file and its companions are readable by their
 * owner only.
 */
export async function openDatabase(file: DatabaseFile): Promise<DatabaseSync> {
  const { path, evidence = [], clock = systemClock, backUp = true, steps = migrations } = file;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(pendingRestore(path))) throw damaged(path, 'a restore was cut short; the next start of the control plane finishes it');
  if (!existsSync(path)) createFile(path, evidence, steps);
  const database = openExisting(path, steps.length);
  try {
    const found = schemaOf(database);
    if (found < steps.length) {
      if (backUp) await backUpDatabase(path, join(backupFolder(path), backupName(found, clock.now())), steps.length);
      translated(path, () => migrate(database, steps));
    }
    return database;
  } catch (error) {
    database.close();
    throw asStoreError(path, error);
  }
}

/** Opens and verifies a file that has to be there, and leaves its schema as it is. */
function openExisting(path: string, known = migrations.length): DatabaseSync {
  return translated(path, () => {
    const { size, mode } = statSync(path);
    if (size === 0) throw damaged(path, 'the file is empty');
    if ((mode & 0o077) !== 0) chmodSync(path, 0o600);
    demandNoLostCommits(path);
    const database = connect(path);
    try {
      verify(path, database, known, 100_000);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Made aside and linked into place, so that the file is whole from its first moment and an empty one is always damage. */
function createFile(path: string, evidence: readonly string[], steps: readonly string[]): void {
  const witness = [`${path}-wal`, ...evidence].find((file) => existsSync(file)) ?? backupsOf(path)[0];
  if (witness !== undefined) throw damaged(path, `the file is missing, but ${witness} shows that there was one`);
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    translated(path, () => {
      closeSync(openSync(aside, 'wx', 0o600));
      const database = connect(aside);
      database.exec(`PRAGMA application_id = ${applicationId}`);
      migrate(database, steps);
      database.close();
      linkSync(aside, path);
      syncPath(dirname(path));
    });
  } catch (error) {
    const another = error instanceof SluiceError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EEXIST';
    if (!another) throw error;
  } finally {
    removeDatabase(aside);
  }
}

function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  defineFunctions(database);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  return database;
}

/** Runs `work` and turns what SQLite and the file system throw into errors of the catalogue. */
export function translated<Value>(path: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw asStoreError(path, error);
  }
}

export function asStoreError(path: string, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const { errcode, message } = error as { errcode?: number; message: string };
  // Primary result codes SQLITE_CORRUPT and SQLITE_NOTADB; the low byte of an extended code is its primary code.
  if (errcode !== undefined && [11, 26].includes(errcode & 0xff)) return damaged(path, message, error);
  return sluiceError('store_unavailable', { path, reason: message }, { cause: error });
}
