import pg, { type PoolClient } from 'pg';
import type { Json } from '../digest/json.ts';
import { type Clock, systemClock } from '../effects/clock.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { DurableStore } from './durable-store.ts';
import { createGroupCommit } from './group-commit.ts';
import { dump } from './postgres-backup.ts';
import { asPostgresError, faultOf } from './postgres-errors.ts';
import { migrate, type SchemaRequest } from './postgres-schema.ts';
import { connectionSettings, type PostgresTarget, parsePostgresUrl } from './postgres-url.ts';
import { commitTogether } from './postgres-writing.ts';
import { type Prepared, prepareWrite } from './settlement.ts';
import type { Document, LogEntry, Receipt } from './store.ts';

export interface PostgresStoreRequest extends Omit<SchemaRequest, 'store'> {
  readonly url: string;
  readonly clock?: Clock;
}

/** Text of one commit; more waits for the next. */
const charactersPerCommit = 8_000_000;
/** How long a fault of the connection is answered by another try; a server that is restarted is back within that. */
const patienceMs = 5_000;

/**
 * The store in a PostgreSQL database (12 or newer), in a schema named `sluice`. Transactions that are asked for while one commit is under
 * way share the next. Whatever the connection does to a read, or to a write before its COMMIT was sent, is tried again a few times.
 */
export async function openPostgresStore({ url, clock = systemClock, ...schema }: PostgresStoreRequest): Promise<DurableStore> {
  const target = parsePostgresUrl(url);
  const store = target.shown;
  const pool = createPool(target);
  let closed = false;

  const withClient = async <Value>(work: (client: PoolClient) => Promise<Value>): Promise<Value> => {
    const begun = clock.monotonic();
    for (let pause = 50; ; pause *= 2) {
      try {
        const client = await pool.connect();
        let failed = true;
        try {
          const value = await work(client);
          failed = false;
          return value;
        } finally {
          // A connection on which something failed may be in the middle of it.
          client.release(failed);
        }
      } catch (error) {
        const spent = clock.monotonic() - begun;
        if (faultOf(error) === 'other' || spent + pause > patienceMs) throw asPostgresError(store, error);
        await clock.sleep(pause);
      }
    }
  };
  const query = async <Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]> => {
    if (closed) throw sluiceError('store_closed', {});
    return withClient(async (client) => (await client.query<Row>(text, [...values])).rows);
  };

  const commits = createGroupCommit<readonly Prepared[], Receipt>(async (batch) => {
    try {
      return await withClient((client) => commitTogether(client, store, batch));
    } catch (error) {
      // One that the server does not take must not fail the others: each for itself.
      if (batch.length === 1 || asPostgresError(store, error).retry !== 'terminal') throw error;
      const alone = batch.map((one) => withClient((client) => commitTogether(client, store, [one])).then(([answer]) => answer));
      return (await Promise.allSettled(alone)).map((end) => (end.status === 'fulfilled' ? end.value : end.reason) as Receipt | Error);
    }
  }, charactersPerCommit);

  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await commits.settled();
    await pool.end();
  };

  try {
    await withClient((client) => migrate(client, { ...schema, store }));
  } catch (error) {
    await close();
    throw error;
  }

  return {
    get: async (collection, key) => {
      const rows = await query<DocumentRow>(`${selectDocuments} AND key = $2`, [collection, key]);
      return rows[0] && toDocument(rows[0]);
    },
    list: async (collection, prefix = '') => {
      const end = successorOf(prefix);
      const within = end === undefined ? 'key >= $2' : 'key >= $2 AND key < $3';
      const values = end === undefined ? [collection, prefix] : [collection, prefix, end];
      return (await query<DocumentRow>(`${selectDocuments} AND ${within} ORDER BY key`, values)).map(toDocument);
    },
    transact: async (writes) => {
      if (closed) throw sluiceError('store_closed', {});
      const prepared = writes.map(prepareWrite);
      return commits.submit(
        prepared,
        prepared.reduce((sum, write) => sum + 100 + ('text' in write ? write.text.length : 0), 0),
      );
    },
    read: async (log, after, limit) => {
      const text = 'SELECT sequence, value FROM sluice.log WHERE log = $1 AND sequence > $2 ORDER BY sequence LIMIT $3';
      const rows = await query<{ sequence: string; value: string }>(text, [log, after, limit]);
      return rows.map(({ sequence, value }): LogEntry => ({ sequence: Number(sequence), value: JSON.parse(value) as Json }));
    },
    last: async (log) => {
      const rows = await query<{ head: string | null }>('SELECT max(sequence) AS head FROM sluice.log WHERE log = $1', [log]);
      return Number(rows[0]?.head ?? 0);
    },
    backup: async (path) => {
      if (closed) throw sluiceError('store_closed', {});
      return withClient(async (client) => {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        const summary = await dump(client, path);
        await client.query('COMMIT');
        return summary;
      });
    },
    close,
  };
}

const selectDocuments = 'SELECT key, version, value FROM sluice.documents WHERE collection = $1';

interface DocumentRow {
  readonly key: string;
  /** bigint comes as text. */
  readonly version: string;
  readonly value: string;
}

function toDocument({ key, version, value }: DocumentRow): Document {
  return { key, version: Number(version), value: JSON.parse(value) as Json };
}

function createPool(target: PostgresTarget): pg.Pool {
  const pool = new pg.Pool({ ...connectionSettings(target), max: 6, min: 1, idleTimeoutMillis: 30_000 });
  // A connection that breaks while nobody uses it: the pool forgets it, and the next request makes another.
  pool.on('error', () => undefined);
  return pool;
}

/** The smallest text greater than all that begin with `prefix`, in the order of UTF-8 bytes; undefined when there is none. */
function successorOf(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    // Surrogates are no characters of their own.
    if (last < 0x10_ff_ff) return String.fromCodePoint(...points, last === 0xd7_ff ? 0xe0_00 : last + 1);
  }
  return undefined;
}
