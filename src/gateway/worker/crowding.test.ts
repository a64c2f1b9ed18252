import { expect, test } from 'vitest';
import { createCrowding } from './crowding.ts';

test('a late turn is crowded, and it is calm once there has been none for a while', () => {
  const crowding = createCrowding(0, 10);
  const told = (times: readonly number[]) => times.map(crowding);
  expect(told([10, 22, 45, 90])).toEqual([undefined, undefined, 'crowded', 'crowded']);
  expect(told(Array.from({ length: 499 }, (_each, index) => 100 + index * 10))).toEqual(Array.from({ length: 499 }, () => undefined));
  expect(told([5_090, 5_100, 5_140])).toEqual(['calm', undefined, 'crowded']);
});
