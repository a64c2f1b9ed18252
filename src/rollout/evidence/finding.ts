import type { Interval } from './confidence.ts';
import { type Grid, gridBetween } from './event-process.ts';
import { logMeanExp } from './log-sum-exp.ts';

/** The numbers behind one metric's part of the verdict. */
export interface Finding {
  /** `errors`, `latency`, `decisions` or the name of a count. */
  readonly metric: string;
  /** E-value against "no worse than tolerated"; the metric has failed at `bar`. */
  readonly harm: number;
  /** E-value against "worse by as much as is worth catching"; the metric has passed at `bar`. 0 where nothing can be shown. */
  readonly safety: number;
  readonly bar: number;
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  /**
   * Ratio of the candidate's rate to stable's, always valid; of latency, at the worst quantile; of decisions, of the value that moved most.
   * With a `limit`, the candidate's own rate.
   */
  readonly interval: Interval;
  /** Quantile or value the interval is of. */
  readonly of?: string;
  readonly events: { readonly candidate: number; readonly stable: number };
  /** Held to a fixed rate instead of to stable: at most so many of all requests fail, or take longer than `ms`. */
  readonly limit?: { readonly rate: number; readonly ms?: number };
}

/** A rate this many times the tolerated one is worth catching: the promote test shows that it is not so. */
export const worthCatching = 2;
const gridSize = 20;
const steepest = 100;

/** Bets on ratios above `ratio`, by a tenth to a hundredfold. */
export function above(ratio: number): Grid {
  return gridBetween(ratio * 1.1, ratio * steepest, gridSize);
}

/** Bets on ratios below `ratio`, as far down. */
export function below(ratio: number, furthest = steepest): Grid {
  return gridBetween(ratio / 1.1, ratio / furthest, gridSize);
}

/** An e-value from its logarithm, as a number that a store can keep. */
export function plain(logarithm: number): number {
  return Math.min(Math.exp(logarithm), Number.MAX_VALUE);
}

/** One of the things a metric is looked at by: `harm` and `safety` are the logarithms of its e-values. */
export interface Looked {
  readonly harm: number;
  /** Absent where safety is judged by others. */
  readonly safety?: number;
}

/**
 * What several looks at one metric come to: an average of e-values is one, a product of dependent ones is not; to be safe, each must be. The
 * interval that is shown is of the look that is worst, which is chosen by what was seen: all of them together cover at the level `shownAlpha`
 * leaves to each.
 */
export function together<Look extends Looked>(
  looks: readonly [Look, ...Look[]],
  alpha: number,
): Pick<Finding, 'harm' | 'safety' | 'bar' | 'verdict'> & { readonly worst: Look; readonly shownAlpha: number } {
  const harm = plain(logMeanExp(looks.map((look) => look.harm)));
  const safety = plain(Math.min(...looks.flatMap((look) => look.safety ?? [])));
  const worst = looks.reduce((one, other) => (other.harm > one.harm ? other : one));
  return { harm, safety, bar: 1 / alpha, verdict: verdictOf(harm, safety, alpha), worst, shownAlpha: alpha / looks.length };
}

export function verdictOf(harm: number, safety: number, alpha: number): Finding['verdict'] {
  if (harm >= 1 / alpha) return 'fail';
  return safety >= 1 / alpha ? 'pass' : 'inconclusive';
}
