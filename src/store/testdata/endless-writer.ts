// Writes for ever and names on standard output what the store has acknowledged. Ends by being killed.
import { openSqliteStore } from '../sqlite-store.ts';

const store = await openSqliteStore({ path: process.argv[2] as string });

async function write(lane: number): Promise<never> {
  for (let count = 1; ; count += 1) {
    const [, sequence] = await store.transact([
      { operation: 'put', collection: 'lanes', key: String(lane), value: count },
      { operation: 'append', log: 'acknowledged', value: { lane, count } },
    ]);
    process.stdout.write(`${JSON.stringify({ lane, count, sequence })}\n`);
  }
}

await Promise.all([1, 2, 3].map(write));
