import { type Interval, intervalBy, logRatioEvidence } from './confidence.ts';
import { logMeanExp } from './log-sum-exp.ts';
import { comparable, type Strata } from './strata.ts';

/** Units that could have gone to one or to the other, and those of them that had the outcome: each unit at most once. */
export interface RateCounts {
  readonly units: Strata;
  readonly events: Strata;
}

export interface RateComparison {
  /** How many times the other's rate the one's (`candidate` in the strata) is; always valid at the level asked for. */
  readonly interval: Interval;
  /** E-value against "both have the same rate". */
  readonly evidence: number;
  readonly verdict: 'more' | 'fewer' | 'open';
}

/** How an alternative sees where units with and without the outcome go: ratios of the rates of either. */
interface Bet {
  readonly events: number;
  readonly others: number;
}

/** Rates of the other, and by how much the logarithm of the one's odds is more: what is bet on. */
const rates = [0.05, 0.2, 0.5, 0.8, 0.95];
const steps = [0.1, 0.2, 0.4, 0.8, 1.6];
const bets: readonly Bet[] = rates.flatMap((rate) =>
  steps.map((step) => {
    const odds = (rate / (1 - rate)) * Math.exp(step);
    const more = odds / (1 + odds);
    return { events: more / rate, others: (1 - more) / (1 - rate) };
  }),
);

/**
 * Compares how often units of either side have the outcome. Valid at every moment, under any common rate over time and any moving split.
 *
 * Against "the one's rate is no more": given its outcome, where a unit went is a draw with chance p*r / (p*r + 1 - p), where r is the ratio
 * of the rates of that outcome: at most 1 for those with it, at least 1 for those without. A product of bets on more of the first and
 * fewer of the second, r1^x / (p*r1 + 1 - p) and r0^x / (p*r0 + 1 - p), therefore never grows on average, and neither does a mixture of such
 * products: Ville's inequality bounds it. Using both outcomes finds the lift of a frequent outcome (60 to 66 in a hundred) as soon as that
 * of the rare opposite, of which the process over events alone knows nothing. The interval is of the average of both processes, so that
 * what is found to be more has an interval above 1. Source: as in `logEvidence`; Ramdas et al., "Game-theoretic statistics and safe
 * anytime-valid inference" (2023), for composite hypotheses.
 */
export function compareRates({ units, events }: RateCounts, alpha: number): RateComparison {
  const { interval, evidence, logMore, logFewer } = compared(units, events, alpha);
  if (evidence < 1 / alpha) return { interval: interval(), evidence, verdict: 'open' };
  // What is found refutes every ratio on the other side of 1; the search for the limits ends a thousandth from there.
  const { low, high } = interval();
  return logMore > logFewer
    ? { interval: { low: Math.max(1, low), high }, evidence, verdict: 'more' }
    : { interval: { low, high: Math.min(1, high) }, evidence, verdict: 'fewer' };
}

/** As `compareRates`, without the interval, which takes longest: for simulations. */
export function rateVerdict({ units, events }: RateCounts, alpha: number): RateComparison['verdict'] {
  const { evidence, logMore, logFewer } = compared(units, events, alpha);
  if (evidence < 1 / alpha) return 'open';
  return logMore > logFewer ? 'more' : 'fewer';
}

function compared(units: Strata, allEvents: Strata, alpha: number) {
  const events = comparable(allEvents);
  const others = comparable(without(units, events));
  const logMore = logBets(events, others);
  const logFewer = logBets(swapped(events), swapped(others));
  const logSame = logMeanExp([logRatioEvidence(events, 1), logMeanExp([logMore, logFewer])]);
  const logAgainst = (ratio: number): number =>
    ratio === 1 ? logSame : logMeanExp([logRatioEvidence(events, ratio), ratio < 1 ? logMore : logFewer]);
  return {
    interval: () => intervalBy(events, alpha, logAgainst),
    evidence: Math.min(Math.exp(logSame), Number.MAX_VALUE),
    logMore,
    logFewer,
  };
}

function logBets(events: Strata, others: Strata): number {
  return logMeanExp(bets.map((bet) => logBet(events, bet.events) + logBet(others, bet.others)));
}

function logBet(strata: Strata, ratio: number): number {
  let sum = 0;
  for (const { chance, candidate, stable } of strata) {
    sum += candidate * Math.log(ratio) - (candidate + stable) * Math.log(chance * ratio + 1 - chance);
  }
  return sum;
}

function without(units: Strata, events: Strata): Strata {
  return units.map(({ chance, candidate, stable }) => {
    const had = events.find((stratum) => stratum.chance === chance) ?? { candidate: 0, stable: 0 };
    return { chance, candidate: candidate - had.candidate, stable: stable - had.stable };
  });
}

function swapped(strata: Strata): Strata {
  return strata.map(({ chance, candidate, stable }) => ({ chance: 1 - chance, candidate: stable, stable: candidate }));
}
