import { setTimeout as wait } from 'node:timers/promises';
import { Pool, type QueryResultRow } from 'pg';
import { log } from './log.ts';
import { refusal } from './refusal.ts';

export interface Database {
  /** Rows of one statement. Repeated once when the connection broke, so it has to be idempotent. Rejects with 503 while the database is away. */
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Whether the tables exist and the database answers within `limitMs`. */
  ready(limitMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Connects in the background, and anew whenever the database comes back. Its tables are made by ./migrations before an agent starts. */
export function openDatabase(url: string): Database {
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: 2_000,
    query_timeout: 3_000,
    application_name: 'logging-agent',
  });
  pool.on('error', (error) => log('warn', 'an idle database connection broke', { error: error.message }));
  const closing = new AbortController();
  let prepared = false;
  void prepareUntilDone();

  return {
    async query(sql, values = []) {
      if (!prepared) throw unavailable();
      const run = async () => (await pool.query(sql, [...values])).rows;
      try {
        return await run().catch((error: unknown) => {
          if (!isConnectionError(error)) throw error;
          return run();
        });
      } catch (error) {
        if (!isConnectionError(error)) throw error;
        log('warn', 'the database cannot be reached', { error: messageOf(error) });
        throw unavailable();
      }
    },
    async ready(limitMs) {
      const answered = pool.query('SELECT 1').then(
        () => true,
        () => false,
      );
      return prepared && (await Promise.race([answered, wait(limitMs, false, { ref: false })]));
    },
    async close() {
      closing.abort();
      await pool.end();
    },
  };

  async function prepareUntilDone(): Promise<void> {
    for (let attempt = 0; !prepared && !closing.signal.aborted; attempt += 1) {
      try {
        await pool.query('SELECT FROM interactions LIMIT 0');
        prepared = true;
        log('info', 'the database is ready', {});
      } catch (error) {
        log('warn', 'the database is not ready', { error: messageOf(error), attempt });
        await wait(Math.min(100 * 2 ** attempt, 3_000), undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  }
}

/** Network errors have no SQLSTATE; of those with one, class 08 and 57P0x mean that the server is going, gone or not there yet. */
function isConnectionError(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  if (code === undefined) return /connection|timeout/i.test(messageOf(error));
  return /^(?:08\w{3}|57P0[123]|E[A-Z]+)$/.test(code);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unavailable(): Error {
  return refusal(503, 'database_unavailable', 'the database cannot be reached; try again in a moment');
}
