import { expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { takeLead } from './lead.ts';
import { createMemoryStore } from './memory-store.ts';
import type { Write } from './store.ts';

const put = (key: string, ifVersion?: number): Write => ({
  operation: 'put',
  collection: 'things',
  key,
  value: key,
  ...(ifVersion !== undefined && { ifVersion }),
});

it('whoever has lost the lead writes nothing more, reads on, and is told once', async () => {
  const store = createMemoryStore();
  let losses = 0;
  const first = await takeLead(store, { holder: 'first', clock: systemClock, onLost: () => (losses += 1) });
  expect(await first.transact([put('a')])).toEqual([1]);
  await expect(first.transact([put('a', 7)])).rejects.toMatchObject({ code: 'store_conflict' });
  expect(await first.transact([])).toEqual([]);

  const second = await takeLead(store, { holder: 'second', clock: systemClock });
  for (const writes of [[put('b')], [put('a', 1)], []]) {
    await expect(first.transact(writes)).rejects.toMatchObject({ code: 'control_plane_superseded', retry: 'terminal' });
  }
  expect([losses, await first.get('things', 'a'), await first.get('things', 'b')]).toEqual([
    1,
    { key: 'a', version: 1, value: 'a' },
    undefined,
  ]);
  expect(await second.transact([put('a', 1), put('b', 0)])).toEqual([2, 1]);
});
