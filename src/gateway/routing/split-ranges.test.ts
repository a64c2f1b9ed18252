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

const arm = (index: number, of: number, percent: number) => ({ weight: percent, slot: { index, of } });
/** Those with an instance, in whatever order, and stable with the rest. */
const withArms = (arms: readonly ReturnType<typeof arm>[]) =>
  splitRanges([...arms, { weight: 100 - arms.reduce((sum, { weight: percent }) => sum + percent, 0) }]);
const pointsOf = (ranges: readonly PointRange[], backend: number) => ranges.filter((range) => range.backend === backend);

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

  describe('with a slot for each arm', () => {
    test('no arm gains or loses a user by what the others do: growing, stopping, going, coming', () => {
      const share = fc.double({ min: 0, max: 1, noNaN: true });
      const others = fc.record({ shares: fc.array(share, { minLength: 4, maxLength: 4 }), present: fc.subarray([0, 1, 2, 3]) });
      fc.assert(
        fc.property(fc.integer({ min: 2, max: 4 }), fc.nat(3), share, others, others, (of, which, mine, before, after) => {
          const own = which % of;
          const placed = ({ shares, present }: typeof before) => {
            const all = [own, ...present.filter((index) => index < of && index !== own)];
            const ranges = withArms(all.map((index) => arm(index, of, ((index === own ? mine : (shares[index] ?? 0)) * 100) / of)));
            return pointsOf(ranges, 0).map(({ from, to }) => [from, to]);
          };
          // The number of its first and last point; rounding is told by the stable release, which takes what is left over.
          for (const [at, [from, to]] of placed(before).entries()) {
            expect(placed(after)[at]?.[0]).toBe(from);
            expect(Math.abs((placed(after)[at]?.[1] ?? 0) - (to ?? 0))).toBeLessThanOrEqual(1);
          }
        }),
      );
    });

    test('an arm that is stopped leaves its users to stable, and none to another arm', () => {
      const running = withArms([arm(0, 3, 20), arm(1, 3, 20), arm(2, 3, 20)]);
      const stopped = withArms([arm(0, 3, 20), arm(2, 3, 20)]);
      for (const { from, to } of pointsOf(running, 1)) {
        expect(stopped.find((range) => range.from <= from && to <= range.to)?.backend).toBe(2);
      }
    });

    test('the arm that goes on alone keeps its users while it grows to the whole', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 2, max: 4 }),
          fc.nat(3),
          fc.array(fc.double({ min: 0, max: 100, noNaN: true })),
          (of, which, steps) => {
            const own = which % of;
            const growing = steps.toSorted((left, right) => left - right).map((percent) => withArms([arm(own, of, percent)]));
            expect(growing.slice(1).every((after, at) => onlyGrows(growing[at] as readonly PointRange[], after, 0))).toBe(true);
          },
        ),
      );
    });

    test('whoever has no slot of its own takes from what is left', () => {
      const ranges = splitRanges([arm(1, 2, 30), { weight: 10 }, arm(1, 2, 10), { weight: 50 }]);
      expect(pointsOf(ranges, 0)).toEqual([{ from: pointCount / 2, to: expect.closeTo(0.8 * pointCount, -1), backend: 0 }]);
      expect(countsOf(ranges, 4).map((count) => Math.round((count / pointCount) * 100))).toEqual([30, 10, 10, 50]);
    });
  });
});
