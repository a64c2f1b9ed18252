import { expect, it } from 'vitest';
import { backlogAfter, flowOf } from './queueing.ts';

const at = (perSecond: number, places: number, backlog = 0) => flowOf({ perSecond, serviceMs: 1_000, places, backlog });

it('waits as M/M/1 and M/M/c do', () => {
  // One place at 80 %: 0.8² / 0.2 wait, each 4 s. Two at 75 % each: the chance to wait is 9/14, so 27/14 wait.
  expect(at(0.8, 1)).toEqual({ busy: 0.8, waiting: expect.closeTo(3.2, 6), waitMs: expect.closeTo(4_000, 3) });
  expect(at(1.5, 2).waiting).toBeCloseTo(27 / 14, 6);
  expect(at(0, 2)).toEqual({ busy: 0, waiting: 0, waitMs: 0 });
});

it('piles up what comes beyond what can be served, and works it off when less comes', () => {
  const load = { perSecond: 3, serviceMs: 1_000, places: 2, backlog: 0 };
  expect(backlogAfter(load, 10_000)).toBeCloseTo(10);
  expect(flowOf({ ...load, backlog: 100 })).toEqual({ busy: 2, waiting: 100, waitMs: expect.closeTo(50_000) });
  expect(backlogAfter({ ...load, perSecond: 1, backlog: 10 }, 4_000)).toBeCloseTo(6);
  expect(backlogAfter({ ...load, perSecond: 1, backlog: 1 }, 4_000)).toBe(0);
});
