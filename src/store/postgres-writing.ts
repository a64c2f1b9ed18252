import type { ClientBase } from 'pg';
import { sluiceError, type SluiceError } from '../errors/sluice-error.ts';
import { faultOf } from './postgres-errors.ts';
import { beginWriting } from './postgres-schema.ts';
import { type Found, type Prepared, settle, type Settlement, slotOf } from './settlement.ts';
import type { Receipt } from './store.ts';

const readTouched = `
  SELECT d.collection AS name, d.key, d.version AS number
  FROM unnest($1::text[], $2::text[]) AS wanted (collection, key)
  JOIN sluice.documents AS d ON d.collection = wanted.collection AND d.key = wanted.key
  UNION ALL
  SELECT wanted.log, NULL, coalesce((SELECT max(l.sequence) FROM sluice.log AS l WHERE l.log = wanted.log), 0)
  FROM unnest($3::text[]) AS wanted (log)`;

const writeSettlement = `
  WITH removed AS (
    DELETE FROM sluice.documents AS d USING unnest($1::text[], $2::text[]) AS gone (collection, key)
    WHERE d.collection = gone.collection AND d.key = gone.key
  ), put AS (
    INSERT INTO sluice.documents (collection, key, version, value)
    SELECT * FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[])
    ON CONFLICT (collection, key) DO UPDATE SET version = excluded.version, value = excluded.value
  )
  INSERT INTO sluice.log (log, sequence, value) SELECT * FROM unnest($7::text[], $8::bigint[], $9::text[])`;

/**
 * Commits a batch as the only writer, in two round trips: what it touches is read, settled in memory, and written. Whether a commit whose
 * answer never came was made nobody knows; that is said, and not tried again.
 */
export async function commitTogether(
  client: ClientBase,
  store: string,
  batch: readonly (readonly Prepared[])[],
): Promise<readonly (Receipt | SluiceError)[]> {
  const writes = batch.flat();
  const documents = new Map<string, readonly [string, string]>();
  const logs = new Set<string>();
  for (const write of writes) {
    if (write.operation === 'append') logs.add(write.log);
    else documents.set(slotOf(write.collection, write.key), [write.collection, write.key]);
  }
  const wanted = [...documents.values()];
  const [, rows] = await together(
    client.query(beginWriting),
    client.query<TouchedRow>({ name: 'sluice-read', text: readTouched, values: [...columns(wanted, 2), [...logs]] }),
  );
  const settlement = settle(batch, foundIn(rows.rows));
  if (isEmpty(settlement)) {
    await client.query('ROLLBACK');
    return settlement.outcomes;
  }
  try {
    const [, committed] = await together(
      client.query({ name: 'sluice-write', text: writeSettlement, values: valuesOf(settlement) }),
      client.query('COMMIT'),
    );
    if (committed.command !== 'COMMIT') throw new Error('the server has not committed');
  } catch (error) {
    if (faultOf(error) !== 'connection') throw error;
    const reason = 'the connection broke during a commit, so whether it was made is not known';
    throw sluiceError('store_unreachable', { store, reason }, { cause: error });
  }
  return settlement.outcomes;
}

interface TouchedRow {
  readonly name: string;
  /** Null for a log. */
  readonly key: string | null;
  readonly number: string;
}

function foundIn(rows: readonly TouchedRow[]): Found {
  const versions = new Map<string, number>();
  const heads = new Map<string, number>();
  for (const { name, key, number } of rows) {
    if (key === null) heads.set(name, Number(number));
    else versions.set(slotOf(name, key), Number(number));
  }
  return { versions, heads };
}

function valuesOf({ puts, deletes, appends }: Settlement): unknown[] {
  return [
    ...columns(
      deletes.map(({ collection, key }) => [collection, key]),
      2,
    ),
    ...columns(
      puts.map(({ collection, key, version, text }) => [collection, key, version, text]),
      4,
    ),
    ...columns(
      appends.map(({ log, sequence, text }) => [log, sequence, text]),
      3,
    ),
  ];
}

/** Rows as one array for each column, which is what `unnest` takes. */
export function columns(rows: readonly (readonly unknown[])[], width: number): unknown[][] {
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column]));
}

function isEmpty({ puts, deletes, appends }: Settlement): boolean {
  return puts.length + deletes.length + appends.length === 0;
}

/** Both were sent at once. The first failure is the cause; those behind it only follow from it. */
async function together<First, Second>(first: Promise<First>, second: Promise<Second>): Promise<[First, Second]> {
  const [one, two] = await Promise.allSettled([first, second]);
  if (one.status === 'rejected') throw one.reason;
  if (two.status === 'rejected') throw two.reason;
  return [one.value, two.value];
}
