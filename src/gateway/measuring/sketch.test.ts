import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketCount, bucketOf, relativeError, valueOf } from './buckets.ts';
import {
  countsUpTo,
  createSketch,
  emptySketch,
  mergeSketches,
  quantile,
  record,
  sketchSince,
  type SketchSnapshot,
  snapshotOf,
} from './sketch.ts';

/** Milliseconds over the whole range, each order of magnitude alike. */
const duration = fc.double({ min: -7, max: 24, noNaN: true }).map((power) => 2 ** power);
const durations = fc.array(duration, { maxLength: 200 });

function sketchOf(values: readonly number[]): SketchSnapshot {
  const sketch = createSketch();
  for (const value of values) record(sketch, value);
  return snapshotOf(sketch);
}

test('every value is within 1 % of the one its bucket stands for', () => {
  expect(relativeError).toBeLessThanOrEqual(0.01);
  fc.assert(
    fc.property(duration, (value) => {
      expect(Math.abs(valueOf(bucketOf(value)) - value)).toBeLessThanOrEqual(value * relativeError * (1 + 1e-12));
    }),
    { numRuns: 2_000 },
  );
});

test('what is out of range or no number goes to the first or the last bucket', () => {
  expect([Number.NaN, -1, 0, 1e-9].map(bucketOf)).toEqual([0, 0, 0, 0]);
  expect([1e12, Number.POSITIVE_INFINITY].map(bucketOf)).toEqual([bucketCount - 1, bucketCount - 1]);
});

test('p50, p95 and p99 are within 1 % of the exact ones', () => {
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 500 }), (values) => {
      const sorted = values.toSorted((left, right) => left - right);
      for (const q of [0, 0.5, 0.95, 0.99, 1]) {
        const exact = sorted[Math.floor(q * (sorted.length - 1))] as number;
        expect(Math.abs((quantile(sketchOf(values), q) as number) - exact)).toBeLessThanOrEqual(exact * 0.01);
      }
    }),
  );
  expect(quantile(emptySketch, 0.5)).toBeUndefined();
});

test('merging is associative and commutative and gives the sketch of everything', () => {
  fc.assert(
    fc.property(durations, durations, durations, (one, two, three) => {
      const [a, b, c] = [sketchOf(one), sketchOf(two), sketchOf(three)];
      const whole = sketchOf([...one, ...two, ...three]);
      expect(mergeSketches(mergeSketches(a, b), c)).toEqual(whole);
      expect(mergeSketches(a, mergeSketches(b, c))).toEqual(whole);
      expect(mergeSketches(b, a)).toEqual(mergeSketches(a, b));
    }),
  );
});

test('the difference of two snapshots is the sketch of what came between them', () => {
  fc.assert(
    fc.property(durations, durations, (before, after) => {
      expect(sketchSince(sketchOf([...before, ...after]), sketchOf(before))).toEqual(sketchOf(after));
    }),
  );
});

test('counts up to bounds grow with the bounds and are those of the values but near a bound', () => {
  expect(countsUpTo(sketchOf([1, 4, 9, 40, 900]), [2, 10, 100, 1_000])).toEqual([1, 3, 4, 5]);
  expect(countsUpTo(emptySketch, [1, 2])).toEqual([0, 0]);
});
