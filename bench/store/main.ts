// Documents a second of each store, with its lead as a control plane has it, one put in each transaction, durable when it is answered; beside a
// prepared statement of node:sqlite with the same settings on the same disk in the same run. `node bench/store/main.ts [--seconds N each] [--json]`
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/effects/clock.ts';
import { takeLead } from '../../src/store/lead.ts';
import { openPostgresStore } from '../../src/store/postgres-store.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { startPostgres } from '../../src/testing/postgres-server.ts';

interface Figure {
  readonly store: 'node:sqlite' | 'SQLite' | 'PostgreSQL';
  readonly concurrency: number;
  readonly documentsPerSecond: number;
  /** Of the prepared statement's figure. */
  readonly ratio: number;
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } } });
const rounds = 5;
const milliseconds = Number(values.seconds) * 1_000;
const value = { address: 'production/service/echo', status: 'ready', declared: { size: 'large', text: 'x'.repeat(400) } };

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const server = await startPostgres();
try {
  const database = new DatabaseSync(join(folder, 'raw.db'));
  const opened = [
    await openSqliteStore({ path: join(folder, 'state.db') }),
    await openPostgresStore({ url: await server.emptyDatabase() }),
  ] as const;
  const lead = { holder: 'bench', clock: systemClock };
  const [sqlite, postgres] = [await takeLead(opened[0], lead), await takeLead(opened[1], lead)];
  const contestants = [
    { store: 'node:sqlite', concurrency: 1, measure: rawMeasure(database) },
    { store: 'SQLite', concurrency: 1, measure: () => measure(sqlite, 1) },
    { store: 'SQLite', concurrency: 64, measure: () => measure(sqlite, 64) },
    { store: 'PostgreSQL', concurrency: 1, measure: () => measure(postgres, 1) },
    { store: 'PostgreSQL', concurrency: 64, measure: () => measure(postgres, 64) },
  ] as const;
  // In turns, because a disk that others use is not the same a second later; the median of each counts.
  const rates = contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { measure: run }] of contestants.entries()) rates[index]?.push(await run());
  }
  const [raw = 1] = rates.map(median);
  const figures = contestants.map(({ store, concurrency }, index): Figure => {
    const rate = median(rates[index] ?? []);
    return { store, concurrency, documentsPerSecond: Math.round(rate), ratio: Number((rate / raw).toFixed(2)) };
  });
  database.close();
  await Promise.all([sqlite.close(), postgres.close()]);
  console.log(
    values.json
      ? JSON.stringify({ seconds: Number(values.seconds), rounds, node: process.version, figures }, undefined, 2)
      : tableOf(figures),
  );
} finally {
  await server.remove();
  rmSync(folder, { recursive: true });
}

/** One row in each transaction, synced like the store's own. */
function rawMeasure(database: DatabaseSync): () => number {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE documents (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID');
  const put = database.prepare('INSERT INTO documents VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  return () => {
    const begun = performance.now();
    let count = 0;
    for (; performance.now() - begun < milliseconds; count += 1) put.run(`production/service/${count % 10_000}`, JSON.stringify(value));
    return (count * 1_000) / (performance.now() - begun);
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0;
}

async function measure(store: Store, concurrency: number): Promise<number> {
  const begun = performance.now();
  let count = 0;
  const work = async (): Promise<void> => {
    while (performance.now() - begun < milliseconds) {
      count += 1;
      await store.transact([{ operation: 'put', collection: 'resources', key: `production/service/${count % 10_000}`, value }]);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return (count * 1_000) / (performance.now() - begun);
}

function tableOf(figures: readonly Figure[]): string {
  const rows = [
    ['store', 'concurrency', 'documents/s', 'ratio'],
    ...figures.map(({ store, concurrency, documentsPerSecond, ratio }) => [
      store,
      `${concurrency}`,
      `${documentsPerSecond}`,
      ratio.toFixed(2),
    ]),
  ];
  return rows.map(([store = '', ...numbers]) => store.padEnd(14) + numbers.map((text) => text.padStart(14)).join('')).join('\n');
}
