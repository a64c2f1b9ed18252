import { quantile, type SketchSnapshot } from './sketch.ts';

/**
 * Outcomes of requests that have ended, until those of requests that began at the same time are there too. Quick answers come first: counted as
 * they come, a candidate that is quicker than stable has more of everything for as long as stable's first answers take, and one that is
 * slower has less, whatever either answers. Counted so long after its beginning, each request is where the draw has put it.
 */
export interface WaitingOutcomes {
  /** `begunAt`: monotonic milliseconds. The numbers are given back as they are. */
  add(begunAt: number, outcome: Outcome): void;
  /** Hands on all that began before, in order of their beginning. */
  handOn(before: number): void;
}

/** Number of where it counts, unit, milliseconds, marks, category. */
export type Outcome = readonly [target: number, unit: number, milliseconds: number, marks: number, category: number];

const numbersEach = 5;
/** Requests that are handed on together (ms). */
const batchMs = 20;
/** Beyond that the oldest are handed on early. 40 bytes each. */
const mostWaiting = 262_144;

export function createWaitingOutcomes(count: (...outcome: Outcome) => void): WaitingOutcomes {
  const batches = new Map<number, number[]>();
  let waiting = 0;

  const handOnBatch = (key: number): void => {
    const batch = batches.get(key) ?? [];
    batches.delete(key);
    waiting -= batch.length / numbersEach;
    for (let at = 0; at < batch.length; at += numbersEach) {
      const [target = 0, unit = 0, milliseconds = -1, marks = 0, category = -1] = batch.slice(at, at + numbersEach);
      count(target, unit, milliseconds, marks, category);
    }
  };

  return {
    add: (begunAt, outcome) => {
      const key = Math.floor(begunAt / batchMs);
      const batch = batches.get(key);
      if (batch === undefined) batches.set(key, [...outcome]);
      else batch.push(...outcome);
      waiting += 1;
      if (waiting > mostWaiting) handOnBatch(Math.min(...batches.keys()));
    },
    handOn: (before) => {
      const due = [...batches.keys()].filter((key) => (key + 1) * batchMs <= before);
      for (const key of due.sort((one, other) => one - other)) handOnBatch(key);
    },
  };
}

/** Of fewer answers the longest one stands for the slowest hundredth. */
const fewForQuantile = 100;
const timesSlowest = 2;
const [leastMs, unknownMs, mostMs] = [40, 5_000, 60_000];
const timesUnanswered = 10;

function nearlyAllMs(sketch: SketchSnapshot): number {
  return quantile(sketch, sketch.count < fewForQuantile ? 1 : 0.99) ?? 0;
}

/**
 * How long (ms) after its beginning a request counts: twice as long as nearly all requests of its service take, by whichever release is the
 * slowest. Those that take longer hold up the others until they are answered, for a minute at most. Streams of minutes count when they end.
 */
export function countedAfterMs(stable: SketchSnapshot, others: readonly SketchSnapshot[]): number {
  const least = stable.count === 0 ? unknownMs : leastMs;
  return Math.min(mostMs, Math.max(least, timesSlowest * Math.max(...[stable, ...others].map(nearlyAllMs))));
}

/** How long (ms) a request is without any answer until it counts as failed: ten times as long as nearly all of stable's take, at least 5 s. */
export function unansweredAfterMs(stable: SketchSnapshot): number {
  return Math.max(unknownMs, timesUnanswered * nearlyAllMs(stable));
}
