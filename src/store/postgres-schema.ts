import type { ClientBase } from 'pg';
import { sluiceError } from '../errors/sluice-error.ts';

/** Step n brings the schema `sluice` from n to n + 1. Steps are only ever added. */
export const migrations: readonly string[] = [
  `CREATE TABLE sluice.documents (
     collection text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, version bigint NOT NULL, value text NOT NULL,
     PRIMARY KEY (collection, key)
   );
   CREATE TABLE sluice.log (
     log text COLLATE "C" NOT NULL, sequence bigint NOT NULL, value text NOT NULL,
     PRIMARY KEY (log, sequence)
   );`,
];

/** 'Sluice' in ASCII: the advisory lock of whoever writes, in this database alone. */
const writerLock = '0x536c75696365';

/**
 * Begins a transaction that is the only writing one. It sees all that others have committed before, and sequences are given and
 * committed in the same order, so no reader ever sees one number and a smaller one later. Databases may default to less or to more than
 * this needs; a commit that is not synced would not be one.
 */
export const beginWriting = [
  'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
  `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`,
  `SELECT pg_advisory_xact_lock(${BigInt(writerLock)})`,
].join('; ');

export interface SchemaRequest {
  /** For errors. */
  readonly store: string;
  /** A file that shows that there was a state before: then a database without one is the wrong one. */
  readonly evidence?: string | undefined;
  readonly backups?: readonly string[];
  readonly steps?: readonly string[];
}

/**
 * Creates the schema in a database that has none and brings an older one forward, all in one transaction: a step that fails leaves
 * everything as it was. Throws `store_too_new`, `store_missing`, `store_refused`.
 */
export async function migrate(client: ClientBase, { store, evidence, backups = [], steps = migrations }: SchemaRequest): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>("SELECT current_setting('server_encoding') AS encoding");
  if (rows[0]?.encoding !== 'UTF8') throw sluiceError('store_refused', { store, reason: `its encoding is ${rows[0]?.encoding}, not UTF8` });
  if ((await schemaOf(client, store, steps.length)) === steps.length) return;
  await client.query(beginWriting);
  try {
    const found = await schemaOf(client, store, steps.length);
    if (found === 0) {
      if (evidence !== undefined) throw sluiceError('store_missing', { store, evidence, backups });
      await client.query('CREATE SCHEMA IF NOT EXISTS sluice; CREATE TABLE sluice.schema (version integer NOT NULL)');
      await client.query('INSERT INTO sluice.schema VALUES (0)');
    }
    for (const [schema, statements] of steps.entries()) if (schema >= found) await client.query(statements);
    await client.query('UPDATE sluice.schema SET version = $1', [steps.length]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** 0 when there is none. */
async function schemaOf(client: ClientBase, path: string, known: number): Promise<number> {
  // Not by to_regclass: it may answer from a cache that does not know yet what was committed while this session waited for the lock.
  const there = await client.query("SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'sluice' AND tablename = 'schema'");
  if (there.rowCount === 0) return 0;
  const { rows } = await client.query<{ version: number }>('SELECT version FROM sluice.schema');
  const found = rows[0]?.version ?? 0;
  if (found > known) throw sluiceError('store_too_new', { path, found, known });
  return found;
}
