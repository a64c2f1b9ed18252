import { gridBetween, logEvidence, logLikelihood, logMixture } from './event-process.ts';
import { comparable, type Strata } from './strata.ts';

export interface Interval {
  /** 0 when nothing bounds it from below. */
  readonly low: number;
  /** `unbounded` when nothing bounds it from above. */
  readonly high: number;
}

/** A number and not Infinity, which JSON does not know: intervals are stored. */
export const unbounded: number = Number.MAX_VALUE;
const widest = 1e6;
const grid = symmetric();

/**
 * A confidence sequence for the ratio of the candidate's event rate to stable's: all ratios that the evidence has not refuted at level
 * `alpha`. It covers the true ratio at all times at once with a chance of 1 - alpha, so it may be shown live.
 */
export function ratioInterval(strata: Strata, alpha: number): Interval {
  const compared = comparable(strata);
  // Only what is divided by depends on the ratio that is asked about.
  const mixture = logMixture(compared, grid);
  return intervalBy(compared, alpha, (ratio) => mixture - logLikelihood(compared, ratio));
}

/** ln of the evidence against "the candidate's event rate is `ratio` times stable's", whether it is more or less. */
export function logRatioEvidence(strata: Strata, ratio: number): number {
  return logEvidence(strata, ratio, grid);
}

/** All ratios that `logAgainst` has not refuted; an e-process for each ratio, which may know more than where the events went. */
export function intervalBy(strata: Strata, alpha: number, logAgainst: (ratio: number) => number): Interval {
  const compared = comparable(strata);
  const bar = Math.log(1 / alpha);
  const isRefuted = (logRatio: number): boolean => logAgainst(Math.exp(logRatio)) >= bar;
  const centre = likeliestLogRatio(compared);
  const limit = Math.log(widest);
  return {
    low: isRefuted(-limit) ? Math.exp(boundary(-limit, centre, isRefuted)) : 0,
    high: isRefuted(limit) ? Math.exp(boundary(limit, centre, isRefuted)) : unbounded,
  };
}

/**
 * Where the evidence is least. It is found by halving: the slope of the log-likelihood in the logarithm of the ratio,
 * sum c - n * p*r / (p*r + 1 - p), only falls.
 */
function likeliestLogRatio(strata: Strata): number {
  let [low, high] = [-Math.log(widest), Math.log(widest)];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    let slope = 0;
    for (const { chance, candidate, stable } of strata) {
      const share = chance * Math.exp(middle);
      slope += candidate - ((candidate + stable) * share) / (share + 1 - chance);
    }
    if (slope > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Between a refuted and an unrefuted ratio (in logarithms), the last refuted one, to within a thousandth: never too narrow. */
function boundary(refuted: number, unrefuted: number, isRefuted: (logRatio: number) => boolean): number {
  let [outside, inside] = [refuted, unrefuted];
  while (Math.abs(outside - inside) > 1e-3) {
    const middle = (outside + inside) / 2;
    if (isRefuted(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}

function symmetric(): ReturnType<typeof gridBetween> {
  const up = gridBetween(1.05, 100, 24);
  const down = gridBetween(1 / 1.05, 1 / 100, 24);
  return [...up, ...down].map(({ ratio, weight }) => ({ ratio, weight: weight / 2 }));
}
