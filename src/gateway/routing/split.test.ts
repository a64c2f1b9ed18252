import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../effects/random.ts';
import type { Backend } from '../balancing/choose.ts';
import { createSplit, seedOf, type Split } from './split.ts';
import { pointCount, splitRanges } from './split-ranges.ts';
import { xxh32 } from './xxh32.ts';

const backends = (weights: Readonly<Record<string, number>>): Backend[] =>
  Object.entries(weights).map(([release, weight]) => ({ release, weight, active: [], ready: [] }));
const affinity = { by: 'header', name: 'X-User' } as const;
const byUser = (weights: Readonly<Record<string, number>>, salt = 'app/rollout-1'): Split =>
  createSplit(backends(weights), { salt, affinity });
const of = (split: Split, user: string) => split.assign(['x-user', user], 0.5);
const users = (count: number): string[] => Array.from({ length: count }, (_each, index) => `user-${index}`);

describe('a request that says nothing about its user', () => {
  test('is drawn by itself, by weight and with its probability', () => {
    const split = byUser({ candidate: 1, stable: 3 });
    const random = seededRandom(11);
    const counts: Record<string, number> = {};
    for (let index = 0; index < 40_000; index += 1) {
      const drawn = split.assign(['cookie', 'a=b'], random.next());
      const release = drawn?.backend.release ?? 'none';
      expect(drawn).toMatchObject({ by: 'request', unit: 0, probability: release === 'stable' ? 0.75 : 0.25 });
      counts[release] = (counts[release] ?? 0) + 1;
    }
    // 10,000 expected, standard deviation 87: five of them.
    expect(Math.abs((counts['candidate'] ?? 0) - 10_000)).toBeLessThan(435);
  });

  test('has, among those that are compared, the chance of the draw among these', () => {
    const split = createSplit(backends({ candidate: 30, 'stable@baseline': 10, stable: 60 }), undefined, ['candidate', 'stable@baseline']);
    const chances = [0.1, 0.6, 0.4].map((point) => split.assign([], point)).map((drawn) => [drawn?.backend.release, drawn?.probability]);
    expect(chances).toEqual([
      ['candidate', 0.75],
      ['stable@baseline', 0.25],
      ['stable', 0.6],
    ]);
  });

  test('goes nowhere when nothing has weight', () => {
    expect(byUser({ a: 0, b: 0 }).assign([], 0.3)).toBeUndefined();
    expect(createSplit([]).assign([], 0.3)).toBeUndefined();
  });

  test('goes to the one release there is, wherever its point lies', () => {
    const split = createSplit(backends({ candidate: 0, stable: 1 }));
    for (const point of [0, 0.5, 1 - 2 ** -53]) expect(split.assign([], point)?.backend.release).toBe('stable');
  });
});

describe('a user', () => {
  test('gets the same release each time, by the range its hash falls into', () => {
    const split = byUser({ candidate: 1, stable: 1 });
    for (const user of users(200)) {
      const point = xxh32(user, seedOf('app/rollout-1'));
      expect(of(split, user)).toMatchObject({
        backend: { release: point < pointCount / 2 ? 'candidate' : 'stable' },
        probability: 0.5,
        by: 'unit',
      });
      expect(split.assign(['X-USER', user], 0.99)).toEqual(of(split, user));
    }
  });

  test('has a number of its own', () => {
    const split = byUser({ stable: 1 });
    const numbers = new Set(users(50_000).map((user) => of(split, user)?.unit));
    expect(numbers.size).toBe(50_000);
    expect([...numbers].every((unit = 0) => Number.isSafeInteger(unit) && unit > 0 && unit < 2 ** 52)).toBe(true);
  });

  test('who saw the candidate at a weight sees it at every larger one', () => {
    let before = new Set<string>();
    for (const percent of [1, 5, 25, 50, 99, 100]) {
      const split = byUser({ candidate: percent, stable: 100 - percent });
      const now = new Set(users(5_000).filter((user) => of(split, user)?.backend.release === 'candidate'));
      expect([...before].every((user) => now.has(user))).toBe(true);
      // Standard deviation at most 0.71 % of 5,000; four of them.
      expect(Math.abs(now.size / 5_000 - percent / 100)).toBeLessThan(0.029);
      before = now;
    }
  });

  test('is drawn anew under another salt', () => {
    const salts = ['app/rollout-1', 'app/rollout-2', 'other/rollout-1', ''];
    const splits = salts.map((salt) => byUser({ candidate: 1, stable: 1 }, salt));
    const sides = splits.map((split) => users(10_000).map((user) => (of(split, user)?.backend.release === 'candidate' ? 1 : -1)));
    for (const [index, one] of sides.entries()) {
      for (const other of sides.slice(index + 1)) {
        const correlation = one.reduce<number>((sum, side, at) => sum + side * (other[at] ?? 0), 0) / one.length;
        // Standard deviation 0.01 when they are independent: four of them.
        expect(Math.abs(correlation)).toBeLessThan(0.04);
      }
    }
  });
});

test('of three releases each draw says the chances of all, alike for equal weights', () => {
  const three = byUser({ warm: 20, terse: 20, stable: 60 });
  expect(three.assign([], 0.5)?.shares).toEqual({
    key: 'stable 0.6,terse 0.2,warm 0.2',
    byRelease: { stable: 0.6, terse: 0.2, warm: 0.2 },
  });
  expect(byUser({ terse: 1, warm: 1, stable: 3 }).assign([], 0.5)?.shares?.key).toBe('stable 0.6,terse 0.2,warm 0.2');
  expect(byUser({ warm: 20, terse: 0, stable: 80 }).assign([], 0.5)?.shares).toBeUndefined();
  expect([of(three, 'ada')?.draw?.hasShares, of(byUser({ warm: 20, stable: 80 }), 'ada')?.draw?.hasShares]).toEqual([true, false]);
});

describe('points of users', () => {
  test.each([
    ['numbered', users(20_000)],
    ['random', Array.from({ length: 20_000 }, (_each, index) => Buffer.from(seededRandom(index).bytes(16)).toString('hex'))],
  ])('are spread evenly over the interval (%s)', (_name, names) => {
    const cells = Array.from({ length: 64 }, () => 0);
    for (const name of names) {
      const cell = Math.floor((xxh32(name, seedOf('s')) / pointCount) * 64);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const expected = names.length / 64;
    const chiSquare = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 63 degrees of freedom: exceeded once in 10,000 times.
    expect(chiSquare).toBeLessThan(114);
  });
});

describe('a tester', () => {
  const split = createSplit(backends({ candidate: 0, stable: 1 }), { salt: 's', affinity, overrideHeader: 'X-Release' });

  test('chooses a release, one without weight too', () => {
    expect(split.assign(['x-release', 'candidate', 'x-user', 'ada'], 0)).toMatchObject({
      backend: { release: 'candidate' },
      probability: 1,
      by: 'override',
      unit: 0,
    });
  });

  test('who names none gets what everybody gets, and who names one that is not there gets nothing', () => {
    expect(split.assign(['x-release', ''], 0)).toMatchObject({ backend: { release: 'stable' }, by: 'request' });
    for (const release of ['unknown', 'Candidate', '__proto__']) {
      const headers = ['x-release', release];
      expect([split.assign(headers, 0), split.isTesters(headers)]).toEqual([undefined, true]);
    }
  });

  test('is recognised while nothing is rolled out too', () => {
    const plain = createSplit(backends({ stable: 1 }));
    expect(plain.assign(['X-Sluice-Release', 'stable'], 0)).toMatchObject({ backend: { release: 'stable' }, by: 'override' });
    expect(plain.assign(['x-sluice-release', 'candidate'], 0)).toBeUndefined();
    expect([plain.assign(['x-release', 'candidate'], 0)?.by, plain.isTesters(['x-release', 'candidate'])]).toEqual(['request', false]);
  });
});

test('what a split assigns is what its ranges say, for another data plane to do the same', () => {
  const weights = { a: 10, b: 60, c: 30 };
  const split = byUser(weights);
  const ranges = splitRanges(backends(weights));
  for (const user of users(2_000)) {
    const point = xxh32(user, seedOf('app/rollout-1'));
    const range = ranges.find(({ from, to }) => from <= point && point < to);
    expect(of(split, user)?.backend.release).toBe(Object.keys(weights)[range?.backend ?? -1]);
  }
});
