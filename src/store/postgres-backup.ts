import { DatabaseSync } from 'node:sqlite';
import type { ClientBase } from 'pg';
import { checksumOf } from './checksum.ts';
import type { BackupSummary } from './durable-store.ts';
import { columns } from './postgres-writing.ts';
import { writeBackup } from './sqlite-backup.ts';
import { applicationId, defineFunctions, migrate, migrations } from './sqlite-schema.ts';

const rowsAtATime = 2_000;

/** Copies all rows the transaction of `client` sees into a new SQLite file. */
export function dump(client: ClientBase, target: string): Promise<BackupSummary> {
  return writeBackup(target, migrations.length, async (aside) => {
    const database = new DatabaseSync(aside);
    try {
      defineFunctions(database);
      database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA application_id = ${applicationId}`);
      migrate(database, migrations);
      database.exec('BEGIN');
      await copyDocuments(client, database);
      await copyLogs(client, database);
      database.exec('COMMIT');
    } finally {
      database.close();
    }
  });
}

async function copyDocuments(client: ClientBase, database: DatabaseSync): Promise<void> {
  const insert = database.prepare('INSERT INTO documents (collection, key, version, value, checksum) VALUES (?, ?, ?, ?, ?)');
  const text = `SELECT collection, key, version, value FROM sluice.documents WHERE (collection, key) > ($1, $2)
                ORDER BY collection, key LIMIT ${rowsAtATime}`;
  for (let after = ['', '']; ; ) {
    const { rows } = await client.query<{ collection: string; key: string; version: string; value: string }>(text, after);
    for (const { collection, key, version, value } of rows) {
      insert.run(collection, key, Number(version), value, checksumOf(collection, key, Number(version), value));
      after = [collection, key];
    }
    if (rows.length < rowsAtATime) return;
  }
}

async function copyLogs(client: ClientBase, database: DatabaseSync): Promise<void> {
  const insert = database.prepare('INSERT INTO log (log, sequence, value, checksum) VALUES (?, ?, ?, ?)');
  const text = `SELECT log, sequence, value FROM sluice.log WHERE (log, sequence) > ($1, $2) ORDER BY log, sequence LIMIT ${rowsAtATime}`;
  for (let after: (string | number)[] = ['', 0]; ; ) {
    const { rows } = await client.query<{ log: string; sequence: string; value: string }>(text, after);
    for (const { log, sequence, value } of rows) {
      insert.run(log, Number(sequence), value, checksumOf(log, '', Number(sequence), value));
      after = [log, Number(sequence)];
    }
    if (rows.length < rowsAtATime) return;
  }
}

/** Puts the rows of a verified backup in the place of all rows, within the transaction of `client`. */
export async function load(client: ClientBase, file: string): Promise<void> {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    await client.query('TRUNCATE sluice.documents, sluice.log');
    const tables = [
      ['documents', 'collection, key, version, value', 'text[], text[], bigint[], text[]'],
      ['log', 'log, sequence, value', 'text[], bigint[], text[]'],
    ] as const;
    for (const [table, names, types] of tables) {
      const parameters = types.split(', ').map((type, index) => `$${index + 1}::${type}`);
      const text = `INSERT INTO sluice.${table} (${names}) SELECT * FROM unnest(${parameters.join(', ')})`;
      let rows: unknown[][] = [];
      const flush = async (): Promise<void> => {
        if (rows.length > 0) await client.query(text, columns(rows, parameters.length));
        rows = [];
      };
      for (const row of database.prepare(`SELECT ${names} FROM ${table}`).iterate()) {
        rows.push(Object.values(row));
        if (rows.length === rowsAtATime) await flush();
      }
      await flush();
    }
  } finally {
    database.close();
  }
}
