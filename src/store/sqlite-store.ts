import type { DatabaseSync } from 'node:sqlite';
import type { Json } from '../digest/json.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import { openDatabase, translated } from './sqlite-file.ts';
import type { Document, LogEntry, Receipt, Store, Write } from './store.ts';

interface Pending {
  readonly writes: readonly Write[];
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The store in one SQLite file. Transactions that are asked for at the same time share one commit and so one sync of the disk; each is
 * still all or nothing by itself, by a savepoint of its own.
 */
export async function openSqliteStore({ path }: { readonly path: string }): Promise<Store> {
  const database = openDatabase(path);
  const statements = prepare(database);
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
    get: (collection, key) => attempt(() => toDocument(statements.get.get(collection, key))),
    list: (collection, prefix = '') =>
      attempt(() => {
        const documents: Document[] = [];
        for (const row of statements.list.iterate(collection, prefix)) {
          if (!String(row['key']).startsWith(prefix)) break;
          documents.push(toDocument(row) as Document);
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
        statements.read
          .all(log, after, limit)
          .map((row): LogEntry => ({ sequence: Number(row['sequence']), value: JSON.parse(String(row['value'])) as Json })),
      ),
    last: (log) => attempt(() => Number(statements.last.get(log)?.['sequence'] ?? 0)),
    close: async () => {
      if (closed) return;
      closed = true;
      flush();
      database.close();
    },
  };
}

function prepare(database: DatabaseSync) {
  return {
    get: database.prepare('SELECT key, version, value FROM documents WHERE collection = ? AND key = ?'),
    list: database.prepare('SELECT key, version, value FROM documents WHERE collection = ? AND key >= ? ORDER BY key'),
    version: database.prepare('SELECT version FROM documents WHERE collection = ? AND key = ?'),
    put: database.prepare(
      `INSERT INTO documents (collection, key, version, value) VALUES (?, ?, 1, ?)
       ON CONFLICT (collection, key) DO UPDATE SET version = version + 1, value = excluded.value RETURNING version`,
    ),
    delete: database.prepare('DELETE FROM documents WHERE collection = ? AND key = ?'),
    append: database.prepare(
      `INSERT INTO log (log, sequence, value)
       VALUES (?1, 1 + coalesce((SELECT max(sequence) FROM log WHERE log = ?1), 0), ?2) RETURNING sequence`,
    ),
    read: database.prepare('SELECT sequence, value FROM log WHERE log = ? AND sequence > ? ORDER BY sequence LIMIT ?'),
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
  if (write.operation === 'append') return Number(statements.append.get(write.log, JSON.stringify(write.value))?.['sequence']);
  const { collection, key, ifVersion: expected } = write;
  if (expected !== undefined) {
    const found = Number(statements.version.get(collection, key)?.['version'] ?? 0);
    if (found !== expected) throw sluiceError('store_conflict', { collection, key, expected, found });
  }
  if (write.operation === 'expect') return write.ifVersion;
  if (write.operation === 'put') return Number(statements.put.get(collection, key, JSON.stringify(write.value))?.['version']);
  statements.delete.run(collection, key);
  return 0;
}

function toDocument(row: Record<string, unknown> | undefined): Document | undefined {
  if (row === undefined) return undefined;
  return { key: String(row['key']), version: Number(row['version']), value: JSON.parse(String(row['value'])) as Json };
}
