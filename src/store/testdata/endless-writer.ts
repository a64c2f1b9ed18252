// Writes for ever and names on standard output what the store has acknowledged. Ends by being killed.
import { openLocation } from './open-location.ts';

const store = await openLocation();

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
