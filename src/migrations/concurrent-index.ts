import pg from 'pg';
import type { ConcurrentIndex } from '../release/migrations/statements.ts';

export interface IndexBuild {
  readonly service: string;
  /** Name of the migration. */
  readonly migration: string;
  readonly sql: string;
  readonly index: ConcurrentIndex;
}

/**
 * Builds an index outside of a transaction, as CONCURRENTLY asks for, and once all the same: that it was begun is written down before. An
 * index that is valid and was begun is done; one that a failure or a kill has left by half is of use to nobody and makes way. Whoever
 * calls holds the lock of the database, and writes the journal afterwards.
 */
export async function buildIndex(client: pg.Client, { service, migration, sql, index }: IndexBuild): Promise<void> {
  const { rowCount } = await client.query('INSERT INTO sluice.migrations_begun (service, name) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    service,
    migration,
  ]);
  if (rowCount === 0) {
    const earlier = await stateOf(client, index);
    if (earlier === 'valid') return;
    if (earlier === 'half') await drop(client, index);
  }
  try {
    // It waits for transactions that are open, and nobody waits for it.
    await client.query(sql);
    if ((await stateOf(client, index)) !== 'valid') throw new Error(`the index ${index.index} is there already, and is not valid`);
  } catch (error) {
    // The reason is what failed first.
    if ((await stateOf(client, index).catch(() => 'none')) === 'half') await drop(client, index).catch(() => undefined);
    await client.query('DELETE FROM sluice.migrations_begun WHERE service = $1 AND name = $2', [service, migration]).catch(() => undefined);
    throw error;
  }
}

async function stateOf(client: pg.Client, { index, table }: ConcurrentIndex): Promise<'none' | 'half' | 'valid'> {
  const { rows } = await client.query<{ valid: boolean }>(
    `SELECT indisvalid AS valid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = to_regclass($1) AND relname = $2`,
    [quoted(table), index],
  );
  const [found] = rows;
  if (found === undefined) return 'none';
  return found.valid ? 'valid' : 'half';
}

/** An index is in the schema of its table. */
async function drop(client: pg.Client, { index, table }: ConcurrentIndex): Promise<void> {
  await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${quoted([...table.slice(0, -1), index])}`);
}

function quoted(names: readonly string[]): string {
  return names.map((name) => pg.escapeIdentifier(name)).join('.');
}
