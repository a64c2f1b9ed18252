import type { DatabaseSync } from 'node:sqlite';
import type { Json } from '../digest/json.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import { checksumOf } from './checksum.ts';
import type { BackupSummary, DurableStore } from './durable-store.ts';
import { backUpDatabase } from './sqlite-backup.ts';
import { asStoreError, type DatabaseFile, openDatabase, translated } from './sqlite-file.ts';
import { damaged } from './sqlite-schema.ts';
import type { Document, LogEntry, Receipt, Write } from './store.ts';

interface Pending {
  readonly writes: readonly Write[];
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The store in one SQLite file. Transactions that are asked for at the same time share one commit and so one sync of the disk; each is
 * still all or nothing by itself, by a savepoint of its own.
 */
export async function openSqliteStore(file: DatabaseFile): Promise<DurableStore> {
  const { path } = file;
  const database = await openDatabase(file);
  const statements = prepare(database);
  const backups = new Set<Promise<BackupSummary>>();
  let queue: Pending[] = [];
  let closed = false;

  /** Runs the step, or rejects: a promise of the port never throws in the caller's face. */
  const attempt = async <Value>(step: () => Value): Promise<Value> => {
    if (closed) throw sluiceError('store_closed', {});
    return translated(path, step);
  };

  const flush = (): void => {
    const batch = queue;
    queue = [];
    if (batch.length === 0) return;
    try {
      const outcomes = translated(path, () => commitTogether(database, statements, batch));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome instanceof SluiceError) reject(outcome);
        else if (outcome !== undefined) resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  return {
    get: (collection, key) => attempt(() => toDocument(path, collection, statements.get.get(collection, key))),
    list: (collection, prefix = '') =>
      attempt(() => {
        const documents: Document[] = [];
        for (const row of statements.list.iterate(collection, prefix)) {
          if (!String(row['key']).startsWith(prefix)) break;
          documents.push(toDocument(path, collection, row) as Document);
        }
        return documents;
      }),
    transact: (writes) => {
      if (closed) return Promise.reject(sluiceError('store_closed', {}));
      return new Promise((resolve, reject) => {
        if (queue.length === 0) setImmediate(flush);
        queue.push({ writes, resolve, reject });
      });
    },
    read: (log, after, limit) =>
      attempt(() =>
        statements.read.all(log, after, limit).map((row): LogEntry => {
          const sequence = Number(row['sequence']);
          return { sequence, value: valueOf(path, row, log, '', sequence) };
        }),
      ),
    last: (log) => attempt(() => Number(statements.last.get(log)?.['sequence'] ?? 0)),
    backup: async (target) => {
      if (closed) throw sluiceError('store_closed', {});
      flush();
      const running = backUpDatabase(path, target).catch((error: unknown) => {
        throw asStoreError(path, error);
      });
      backups.add(running);
      return running.finally(() => backups.delete(running));
    },
    close: async () => {
      if (closed) return;
      closed = true;
      flush();
      await Promise.allSettled(backups);
      database.close();
    },
  };
}

function prepare(database: DatabaseSync) {
  return {
    get: database.prepare('SELECT key, version, value, checksum FROM documents WHERE collection = ? AND key = ?'),
    list: database.prepare('SELECT key, version, value, checksum FROM documents WHERE collection = ? AND key >= ? ORDER BY key'),
    version: database.prepare('SELECT version FROM documents WHERE collection = ? AND key = ?'),
    put: database.prepare(
      `INSERT INTO documents (collection, key, version, value, checksum) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (collection, key) DO UPDATE SET version = excluded.version, value = excluded.value, checksum = excluded.checksum`,
    ),
    delete: database.prepare('DELETE FROM documents WHERE collection = ? AND key = ?'),
    append: database.prepare('INSERT INTO log (log, sequence, value, checksum) VALUES (?, ?, ?, ?)'),
    read: database.prepare('SELECT sequence, value, checksum FROM log WHERE log = ? AND sequence > ? ORDER BY sequence LIMIT ?'),
    last: database.prepare('SELECT max(sequence) AS sequence FROM log WHERE log = ?'),
  };
}
type Statements = ReturnType<typeof prepare>;

/** One commit for all; an unmet expectation undoes only its own transaction. Anything else undoes everything and is thrown. */
function commitTogether(database: DatabaseSync, statements: Statements, batch: readonly Pending[]): (Receipt | SluiceError)[] {
  database.exec('BEGIN IMMEDIATE');
  try {
    const outcomes = batch.map(({ writes }) => {
      database.exec('SAVEPOINT one');
      try {
        const receipt = writes.map((write) => perform(statements, write));
        database.exec('RELEASE one');
        return receipt;
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        database.exec('ROLLBACK TO one; RELEASE one');
        return error;
      }
    });
    database.exec('COMMIT');
    return outcomes;
  } catch (error) {
    // SQLite itself rolls back on some errors (a full disk): then there is nothing left to undo.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function perform(statements: Statements, write: Write): number {
  if (write.operation === 'append') {
    const sequence = 1 + Number(statements.last.get(write.log)?.['sequence'] ?? 0);
    const value = JSON.stringify(write.value);
    statements.append.run(write.log, sequence, value, checksumOf(write.log, '', sequence, value));
    return sequence;
  }
  const { collection, key, ifVersion: expected } = write;
  const found = Number(statements.version.get(collection, key)?.['version'] ?? 0);
  if (expected !== undefined && found !== expected) throw sluiceError('store_conflict', { collection, key, expected, found });
  if (write.operation === 'expect') return write.ifVersion;
  if (write.operation === 'delete') {
    statements.delete.run(collection, key);
    return 0;
  }
  const value = JSON.stringify(write.value);
  statements.put.run(collection, key, found + 1, value, checksumOf(collection, key, found + 1, value));
  return found + 1;
}

type Row = Record<string, unknown>;

function toDocument(path: string, collection: string, row: Row | undefined): Document | undefined {
  if (row === undefined) return undefined;
  const [key, version] = [String(row['key']), Number(row['version'])];
  return { key, version, value: valueOf(path, row, collection, key, version) };
}

/** Throws `store_damaged` unless the row is as it was written. */
function valueOf(path: string, row: Row, name: string, key: string, number: number): Json {
  const text = String(row['value']);
  if (row['checksum'] !== checksumOf(name, key, number, text)) {
    throw damaged(path, `the content of '${name}/${key === '' ? number : key}' does not match its checksum`);
  }
  return JSON.parse(text) as Json;
}
