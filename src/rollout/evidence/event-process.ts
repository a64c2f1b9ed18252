import { logSumExp } from './log-sum-exp.ts';
import { comparable, type Strata } from './strata.ts';

/** Alternatives that a process bets on: ratios of the candidate's event rate to stable's, with weights that sum to 1. */
export type Grid = readonly { readonly ratio: number; readonly weight: number }[];

/**
 * `size` ratios evenly spaced in logarithm from `from` to `to`, both included. The weights fall with the distance from `from`, so that
 * small differences, which need the most data, are bet on most.
 */
export function gridBetween(from: number, to: number, size: number): Grid {
  const key = `${from} ${to} ${size}`;
  const known = grids.get(key);
  if (known) return known;
  const grid = newGrid(from, to, size);
  grids.set(key, grid);
  return grid;
}

/** There are as many as there are tolerances in use, a few. */
const grids = new Map<string, Grid>();

function newGrid(from: number, to: number, size: number): Grid {
  const points = Array.from({ length: size }, (_, index) => ({
    ratio: from * (to / from) ** (index / (size - 1)),
    weight: 1 / (1 + index / 4),
  }));
  const sum = points.reduce((total, { weight }) => total + weight, 0);
  return points.map(({ ratio, weight }) => ({ ratio, weight: weight / sum }));
}

/**
 * ln E(r0): the evidence against "the candidate's event rate is `nullRatio` times stable's", as a mixture over the grid:
 *
 *     E(r0) = sum_j w_j * prod_i (r_j/r0)^x_i * (p_i*r0 + 1 - p_i) / (p_i*r_j + 1 - p_i)
 *
 * over all events i, where p_i is the chance with which the unit behind it was sent to the candidate and x_i whether it went there.
 * Under the hypothesis E is a non-negative martingale that starts at 1, whatever the common base rate does over time and however the split
 * moves, so P(sup E >= 1/alpha) <= alpha (Ville): it may be looked at after every event. With all of the grid above r0 it is valid against
 * every ratio up to r0 too, with all of it below against every ratio from r0 on.
 *
 * Source: Lindon, Sanden, Shirikian, "Rapid Regression Detection in Software Deployments through Sequential Testing" (KDD 2022), with the
 * split as in Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data" (2020).
 */
export function logEvidence(strata: Strata, nullRatio: number, grid: Grid): number {
  const compared = comparable(strata);
  return logMixture(compared, grid) - logLikelihood(compared, nullRatio);
}

/** ln of the mean of the likelihoods of the grid's ratios, by their weights. */
export function logMixture(strata: Strata, grid: Grid): number {
  return logSumExp(grid.map(({ ratio, weight }) => Math.log(weight) + logLikelihood(strata, ratio)));
}

/** ln of the chance of where the events went, given that they happened, when the candidate's rate is `ratio` times stable's. */
export function logLikelihood(strata: Strata, ratio: number): number {
  let sum = 0;
  for (const { chance, candidate, stable } of strata) {
    sum += candidate * Math.log(ratio) - (candidate + stable) * Math.log(chance * ratio + 1 - chance);
  }
  return sum;
}
