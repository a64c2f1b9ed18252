import { bucketCount, bucketOf, valueOf } from './buckets.ts';
import type { SketchSnapshot } from './counts-schema.ts';

export type { SketchSnapshot } from './counts-schema.ts';

/** Distribution of durations, updated in place: the count of each bucket, and behind them the sum in microseconds. */
export type Sketch = Float64Array;

export const emptySketch: SketchSnapshot = { buckets: [], count: 0, sumMicros: 0 };

export function createSketch(): Sketch {
  return new Float64Array(bucketCount + 1);
}

/** `weight`: for how many such durations it stands, a whole number. */
export function record(sketch: Sketch, milliseconds: number, weight = 1): void {
  const bucket = bucketOf(milliseconds);
  sketch[bucket] = (sketch[bucket] as number) + weight;
  sketch[bucketCount] = (sketch[bucketCount] as number) + weight * Math.floor(milliseconds * 1_000 + 0.5);
}

export function snapshotOf(sketch: Sketch): SketchSnapshot {
  const buckets: number[] = [];
  let count = 0;
  for (let bucket = 0; bucket < bucketCount; bucket += 1) {
    const held = sketch[bucket] as number;
    if (held === 0) continue;
    buckets.push(bucket, held);
    count += held;
  }
  return { buckets, count, sumMicros: sketch[bucketCount] as number };
}

/** The sketch of all that either has seen. */
export function mergeSketches(left: SketchSnapshot, right: SketchSnapshot): SketchSnapshot {
  return combine(left, right, 1);
}

/** What came after `earlier`, an older snapshot of the same sketch. */
export function sketchSince(later: SketchSnapshot, earlier: SketchSnapshot): SketchSnapshot {
  return combine(later, earlier, -1);
}

function combine(left: SketchSnapshot, right: SketchSnapshot, sign: 1 | -1): SketchSnapshot {
  if (right.count === 0) return left;
  const buckets: number[] = [];
  const push = (bucket: number, count: number): void => {
    if (count > 0) buckets.push(bucket, count);
  };
  let at = 0;
  let other = 0;
  while (at < left.buckets.length || other < right.buckets.length) {
    const one = left.buckets[at] ?? Number.POSITIVE_INFINITY;
    const two = right.buckets[other] ?? Number.POSITIVE_INFINITY;
    const mine = one <= two ? (left.buckets[at + 1] as number) : 0;
    const theirs = two <= one ? sign * (right.buckets[other + 1] as number) : 0;
    push(Math.min(one, two), mine + theirs);
    if (one <= two) at += 2;
    if (two <= one) other += 2;
  }
  return { buckets, count: left.count + sign * right.count, sumMicros: left.sumMicros + sign * right.sumMicros };
}

/**
 * The value (ms) below which a share `q` of what was recorded lies, within 1 % of the one of rank `floor(q * (count - 1))`. Undefined when
 * nothing was recorded.
 */
export function quantile(sketch: SketchSnapshot, q: number): number | undefined {
  if (sketch.count <= 0) return undefined;
  const rank = Math.floor(q * (sketch.count - 1));
  let seen = 0;
  for (let at = 0; at < sketch.buckets.length; at += 2) {
    seen += sketch.buckets[at + 1] as number;
    if (seen > rank) return valueOf(sketch.buckets[at] as number);
  }
  return undefined;
}

/** How many were at most each of `bounds` (ms, ascending); at a bound itself the sketch's error of 1 % decides. */
export function countsUpTo(sketch: SketchSnapshot, bounds: readonly number[]): number[] {
  let at = 0;
  let seen = 0;
  return bounds.map((bound) => {
    for (; at < sketch.buckets.length && valueOf(sketch.buckets[at] as number) <= bound; at += 2) seen += sketch.buckets[at + 1] as number;
    return seen;
  });
}
