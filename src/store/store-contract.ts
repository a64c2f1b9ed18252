import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store, Write } from './store.ts';

const put = (key: string, value: number | string, ifVersion?: number): Write => ({
  operation: 'put',
  collection: 'things',
  key,
  value,
  ...(ifVersion !== undefined && { ifVersion }),
});
const append = (value: number | string, log = 'events'): Write => ({ operation: 'append', log, value });

const remove = (ifVersion: number): Write => ({ operation: 'delete', collection: 'things', key: 'a', ifVersion });

/** What every store must do; run it over each adapter. */
export function describeStoreContract(name: string, open: () => Promise<Store>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(async () => {
      await store.close();
    });

    it('returns what was put, with versions that count the writes', async () => {
      expect(await store.get('things', 'a')).toBeUndefined();
      expect(await store.transact([put('a', 'one')])).toEqual([1]);
      expect(await store.transact([put('a', 'two')])).toEqual([2]);
      expect(await store.get('things', 'a')).toEqual({ key: 'a', version: 2, value: 'two' });
      expect(await store.get('others', 'a')).toBeUndefined();
    });

    it('starts again at version 1 after a deletion', async () => {
      await store.transact([put('a', 1), put('a', 2)]);
      expect(await store.transact([{ operation: 'delete', collection: 'things', key: 'a' }])).toEqual([0]);
      expect(await store.transact([put('a', 3, 0)])).toEqual([1]);
    });

    it('lists a collection by prefix in the order of the UTF-8 bytes of its keys', async () => {
      const keys = ['staging/b', 'staging/a', 'staging', 'staging0', 'staging/\u{1F600}', 'staging/\uFFFD', 'production/a'];
      await store.transact(keys.map((key) => put(key, key)));
      const listed = (await store.list('things', 'staging/')).map(({ key }) => key);
      expect(listed).toEqual(['staging/a', 'staging/b', 'staging/\uFFFD', 'staging/\u{1F600}']);
      expect((await store.list('things')).map(({ key }) => key)).toHaveLength(keys.length);
      expect(await store.list('nothing')).toEqual([]);
    });

    it('changes nothing at all when one expectation of a transaction does not hold', async () => {
      await store.transact([put('a', 1), put('gone', 1)]);
      const writes: Write[] = [put('a', 2), { operation: 'delete', collection: 'things', key: 'gone' }, append('x'), put('b', 1, 7)];
      await expect(store.transact(writes)).rejects.toMatchObject({ code: 'store_conflict', retry: 'retry', status: 409 });
      expect(await store.get('things', 'a')).toMatchObject({ version: 1, value: 1 });
      expect(await store.get('things', 'gone')).toMatchObject({ version: 1 });
      expect(await store.last('events')).toBe(0);
      expect(await store.transact([append('y')])).toEqual([1]);
    });

    it('demands absence for version 0 and the exact version otherwise, also of deletions', async () => {
      await store.transact([put('a', 1, 0)]);
      await expect(store.transact([put('a', 2, 0)])).rejects.toMatchObject({ code: 'store_conflict' });
      await expect(store.transact([remove(2)])).rejects.toMatchObject({ code: 'store_conflict' });
      await store.transact([remove(1)]);
      expect(await store.get('things', 'a')).toBeUndefined();
    });

    it('holds a transaction to a version it expects without changing it', async () => {
      await store.transact([put('fence', 1)]);
      const expecting = (ifVersion: number, value: number): Write[] => [
        { operation: 'expect', collection: 'things', key: 'fence', ifVersion },
        put('a', value),
      ];
      const outcomes = await Promise.all([1, 2, 3].map((value) => store.transact(expecting(1, value))));
      expect(outcomes.map(([expected]) => expected)).toEqual([1, 1, 1]);
      expect(await store.get('things', 'fence')).toMatchObject({ version: 1 });
      await store.transact([put('fence', 2)]);
      await expect(store.transact(expecting(1, 9))).rejects.toMatchObject({ code: 'store_conflict' });
      await expect(
        store.transact([{ operation: 'expect', collection: 'things', key: 'b', ifVersion: 1 }, append('x')]),
      ).rejects.toMatchObject({
        code: 'store_conflict',
      });
      expect(await store.transact([{ operation: 'expect', collection: 'things', key: 'b', ifVersion: 0 }])).toEqual([0]);
      expect([(await store.get('things', 'a'))?.version, await store.last('events')]).toEqual([3, 0]);
    });

    it('fails only the transactions whose own expectation does not hold when many run at once', async () => {
      const attempts = Array.from({ length: 50 }, (_, index) => store.transact([append(index), put('slot', index, 0), append(-index)]));
      const outcomes = await Promise.allSettled(attempts);
      const winners = outcomes.filter(({ status }) => status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect(await store.last('events')).toBe(2);
      expect(await store.get('things', 'slot')).toMatchObject({ version: 1 });
    });

    it('numbers each log from 1 without gaps under concurrent writers', async () => {
      const receipts = await Promise.all(Array.from({ length: 100 }, (_, index) => store.transact([append(index)])));
      expect(receipts.map(([sequence]) => sequence).toSorted((left = 0, right = 0) => left - right)).toEqual(
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
      expect(await store.transact([append('first', 'journal')])).toEqual([1]);
      const page = await store.read('events', 97, 2);
      expect(page.map(({ sequence }) => sequence)).toEqual([98, 99]);
      expect(await store.read('events', 100, 10)).toEqual([]);
      expect(await store.last('events')).toBe(100);
      expect(await store.last('nothing')).toBe(0);
    });

    it('keeps values as they were when they were written', async () => {
      const value = { list: [1, { deep: 'ü\u0000"' }], nothing: null, number: 1.5 };
      const given: { list: unknown[] } = structuredClone(value);
      await store.transact([{ operation: 'put', collection: 'things', key: 'a', value: given as never }]);
      given.list.push('changed later');
      expect((await store.get('things', 'a'))?.value).toEqual(value);
    });

    it('refuses every call after it was closed', async () => {
      const pending = store.transact([put('a', 1)]);
      await store.close();
      expect(await pending).toEqual([1]);
      await expect(store.get('things', 'a')).rejects.toMatchObject({ code: 'store_closed' });
      await expect(store.transact([put('a', 1)])).rejects.toMatchObject({ code: 'store_closed' });
    });
  });
}
