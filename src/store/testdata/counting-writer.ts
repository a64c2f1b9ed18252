// Adds one to a shared counter as often as told, each time on the version it has read.
import { SluiceError } from '../../errors/sluice-error.ts';
import { openLocation } from './open-location.ts';

const store = await openLocation();

for (let done = 0; done < Number(process.argv[2]); ) {
  const found = await store.get('counters', 'shared');
  const next = Number(found?.value ?? 0) + 1;
  try {
    await store.transact([
      { operation: 'append', log: 'counted', value: next },
      { operation: 'put', collection: 'counters', key: 'shared', value: next, ifVersion: found?.version ?? 0 },
    ]);
    done += 1;
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'store_conflict')) throw error;
  }
}
await store.close();
