import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { timestamp } from '../effects/clock.ts';
import { sluiceError, type SluiceError } from '../errors/sluice-error.ts';
import { checksumOf } from './checksum.ts';

/** 'Slui' in ASCII: tells a file of Sluice from any other SQLite database (pragma application_id). */
export const applicationId = 0x53_6c_75_69;

/** Step n brings a file from schema n to schema n + 1. Steps are only ever added. */
export const migrations: readonly string[] = [
  `CREATE TABLE documents (
     collection TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (collection, key)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE log (
     log TEXT NOT NULL, sequence INTEGER NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (log, sequence)
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE documents ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE log ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
   UPDATE documents SET checksum = sluice_checksum(collection, key, version, value);
   UPDATE log SET checksum = sluice_checksum(log, '', sequence, value);`,
];

export const schemaVersion = migrations.length;

export function defineFunctions(database: DatabaseSync): void {
  database.function('sluice_checksum', { deterministic: true }, (name, key, number, value) =>
    checksumOf(String(name), String(key), Number(number), String(value)),
  );
}

/** All steps that are missing, in one transaction. Another process may have been faster; then there is nothing left to do. */
export function migrate(database: DatabaseSync, steps: readonly string[]): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const found = schemaOf(database);
    for (const [schema, statements] of steps.entries()) if (schema >= found) database.exec(statements);
    if (found < steps.length) database.exec(`PRAGMA user_version = ${steps.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

export function schemaOf(database: DatabaseSync): number {
  return pragma(database, 'user_version');
}

/**
 * Checks that the file is ours, of a schema that is known, and whole: its structure, and the checksums of all documents and of the newest
 * `entries` of each log (about a microsecond each).
 */
export function verify(path: string, database: DatabaseSync, known: number, entries: number): void {
  const reason = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (reason !== 'ok') throw damaged(path, String(reason));
  if (pragma(database, 'application_id') !== applicationId) throw damaged(path, 'it is not a state database of Sluice');
  const found = schemaOf(database);
  if (found > known) throw sluiceError('store_too_new', { path, found, known });
  if (found < 2) return;
  const row = database
    .prepare(
      `SELECT collection || '/' || key AS name FROM documents WHERE checksum IS NOT sluice_checksum(collection, key, version, value)
       UNION ALL
       SELECT log || '/' || sequence FROM log JOIN (SELECT log, max(sequence) AS head FROM log GROUP BY log) USING (log)
       WHERE sequence > head - ? AND checksum IS NOT sluice_checksum(log, '', sequence, value) LIMIT 1`,
    )
    .get(entries);
  if (row !== undefined) throw damaged(path, `the content of '${String(row['name'])}' does not match its checksum`);
}

/** The error for a file that cannot be trusted; it names the backups that lie beside it. */
export function damaged(path: string, reason: string, cause?: unknown): SluiceError {
  return sluiceError('store_damaged', { path, reason, backups: backupsOf(path) }, { cause });
}

export function backupFolder(path: string): string {
  return join(dirname(path), 'backups');
}

/** `state-2-20261122T010203004Z.db`: schema and time of a backup. */
export function backupName(schema: number, time: number): string {
  return `state-${schema}-${stamp(time)}.db`;
}

/** `replaced-20261122T010203004Z.db`: what stood there before a restore. It may be damaged, so it does not count as a backup. */
export function replacedName(time: number): string {
  return `replaced-${stamp(time)}.db`;
}

function stamp(time: number): string {
  return timestamp(Math.floor(time)).replaceAll(/[-:.]/g, '');
}

function timeOf(name: string): string {
  return name.split('-').at(-1) ?? '';
}

/** Backups of the database at `path`, newest first. */
export function backupsOf(path: string): readonly string[] {
  try {
    return readdirSync(backupFolder(path))
      .filter((name) => /^state-.*\.db$/.test(name))
      .toSorted((left, right) => timeOf(right).localeCompare(timeOf(left)))
      .map((name) => join(backupFolder(path), name));
  } catch {
    return [];
  }
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
