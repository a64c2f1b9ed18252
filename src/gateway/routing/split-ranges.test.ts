import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pointCount, type PointRange, splitRanges } from './split-ranges.ts';

const rangesOf = (...weights: number[]): readonly PointRange[] => splitRanges(weights.map((weight) => ({ weight })));

/** Percentages of candidates; the stable release has the rest. */
const withStable = (percents: readonly number[]) => rangesOf(...percents, 100 - percents.reduce((sum, each) => sum + each, 0));

/** Points of each backend. */
function countsOf(ranges: readonly PointRange[], backends: number): number[] {
  const counts = Array.from({ length: backends }, () => 0);
  for (const { from, to, backend } of ranges) counts[backend] = (counts[backend] ?? 0) + to - from;
  return counts;
}

/** Whether every point of `backend` before is one of it after. */
function onlyGrows(before: readonly PointRange[], after: readonly PointRange[], backend: number): boolean {
  return before
    .filter((range) => range.backend === backend)
    .every((range) => after.some((other) => other.backend === backend && other.from <= range.from && range.to <= other.to));
}

const weight = fc.oneof(fc.constant(0), fc.nat(100), fc.double({ min: 0, max: 1e6, noNaN: true }));

describe('the ranges of a split', () => {
  test('put the candidate first and the stable release after it', () => {
    expect(rangesOf(25, 75)).toEqual([
      { from: 0, to: pointCount / 4, backend: 0 },
      { from: pointCount / 4, to: pointCount, backend: 1 },
    ]);
    expect(rangesOf(0, 100)).toEqual([{ from: 0, to: pointCount, backend: 1 }]);
    expect(rangesOf(100, 0)).toEqual([{ from: 0, to: pointCount, backend: 0 }]);
  });

  test('give each of several candidates a slot of its own', () => {
    expect(rangesOf(10, 20, 70).map(({ from, backend }) => [from / pointCount, backend])).toEqual([
      [0, 0],
      [expect.closeTo(0.1), 2],
      [0.5, 1],
      [expect.closeTo(0.7), 2],
    ]);
  });

  test('are none when nothing has weight', () => {
    expect(rangesOf()).toEqual([]);
    expect(rangesOf(0, 0)).toEqual([]);
  });

  test('cover every point once and give each backend its share, whatever the weights', () => {
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 1, maxLength: 5 }).filter((all) => all.some((each) => each > 0)),
        (weights) => {
          const ranges = rangesOf(...weights);
          const total = weights.reduce((sum, each) => sum + each, 0);
          expect(ranges[0]?.from).toBe(0);
          expect(ranges.at(-1)?.to).toBe(pointCount);
          for (const [index, { from, to }] of ranges.entries()) {
            expect(to).toBeGreaterThan(from);
            expect(from).toBe(index === 0 ? 0 : ranges[index - 1]?.to);
          }
          for (const [backend, count] of countsOf(ranges, weights.length).entries()) {
            const expected = ((weights[backend] as number) / total) * pointCount;
            expect(Math.abs(count - expected)).toBeLessThanOrEqual(weights[backend] === 0 ? 0 : weights.length);
          }
        },
      ),
    );
  });

  test('of one candidate only grow, however its weight grows', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 2, maxLength: 20 }), (steps) => {
        const growing = steps.toSorted((left, right) => left - right).map((percent) => rangesOf(percent, 100 - percent));
        const grows = growing.slice(1).map((after, index) => onlyGrows(growing[index] as readonly PointRange[], after, 0));
        expect(grows).not.toContain(false);
      }),
    );
  });

  test('of a candidate stay where they are when a release that only finishes its work leaves or comes', () => {
    const alone = splitRanges([{ weight: 75 }, { weight: 25 }], 1);
    const beside = splitRanges([{ weight: 75 }, { weight: 0 }, { weight: 25 }], 1);
    expect(beside.map(({ from, to }) => [from, to])).toEqual(alone.map(({ from, to }) => [from, to]));
    // What has no slot of its own gets its share all the same.
    const both = splitRanges([{ weight: 50 }, { weight: 25 }, { weight: 25 }], 1);
    expect(countsOf(both, 3).map((count) => count / pointCount)).toEqual([0.5, 0.25, 0.25]);
  });

  test('of several candidates within their slots only grow, whatever the others do', () => {
    const candidates = fc.integer({ min: 2, max: 4 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(candidates, fc.array(share, { minLength: 8, maxLength: 8 }), (count, shares) => {
        const slots = shares.slice(0, count).map((each) => (each * 100) / count);
        const grown = slots.map((each, index) => each + (100 / count - each) * (shares[count + index] ?? 0));
        const others = [...grown];
        // Another one shrinks at the same time: the first does not notice.
        others[1] = (slots[1] as number) / 2;
        expect(onlyGrows(withStable(slots), withStable(grown), 0)).toBe(true);
        expect(onlyGrows(withStable(slots), withStable(others), 0)).toBe(true);
      }),
    );
  });
});
