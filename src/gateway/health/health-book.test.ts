import { expect, test } from 'vitest';
import { backend, routeOf } from '../testing/rig.ts';
import type { RoutingTable } from '../routing-table.ts';
import { createHealthBook } from './health-book.ts';

const table = (version: number, instances: Record<string, number>): RoutingTable => ({
  version,
  listeners: [],
  services: [routeOf({ expose: [], backends: [backend('r1', 1, instances)] })],
});
const key = (id: string, port: number): string => `test/app/${id}@127.0.0.1:${port}`;

test('an instance keeps its health from table to table, and one that comes back elsewhere begins healthy', () => {
  const changes: object[] = [];
  const book = createHealthBook((change) => changes.push(change));
  book.follow(table(1, { a: 1, b: 2 }));
  book.observe(key('a', 1), 'unreachable');
  expect(changes).toEqual([{ key: key('a', 1), healthy: false }]);
  const followed = book.follow(table(2, { a: 1, b: 3 }));
  expect(followed.map(({ id, healthy }) => [id, healthy])).toEqual([
    ['a', false],
    ['b', true],
  ]);
  book.observe(key('a', 1), 'passed');
  expect(changes.at(-1)).toEqual({ key: key('a', 1), healthy: true });
});

test('one that left the table is remembered for as long as it is asked for, and nothing it does changes anything', () => {
  const changes: object[] = [];
  const book = createHealthBook((change) => changes.push(change));
  book.follow(table(1, { a: 1, b: 2 }));
  book.follow(table(2, { b: 2 }));
  book.observe(key('a', 1), 'unreachable');
  expect(changes).toEqual([]);
  book.forget(new Set([key('a', 1)]));
  expect(book.of(key('a', 1))).toMatchObject({ id: 'a', release: 'r1' });
  book.forget(new Set());
  expect(book.of(key('a', 1))).toBeUndefined();
  expect(book.of(key('b', 2))).toBeDefined();
});
