import { type Interval, ratioInterval, unbounded } from './confidence.ts';
import { logEvidence } from './event-process.ts';
import { above, below, type Finding, together } from './finding.ts';
import { logMeanExp } from './log-sum-exp.ts';
import type { Strata } from './strata.ts';

/** Requests of the candidate that were held to a fixed rate: how many there were, and how many did what is to be rare. */
export interface Limited {
  readonly rate: number;
  readonly events: number;
  readonly units: number;
  readonly of?: string;
  readonly ms?: number;
}

/**
 * Whether something happens to at most a fixed share of the candidate's requests, whatever stable does: a betting process for the mean of
 * bounded variables,
 *
 *     E = sum_j w_j * prod_i (p_j/p)^x_i * ((1-p_j)/(1-p))^(1-x_i)     with all p_j above p.
 *
 * While the chance of an event, given the past, is never above `p`, E is a supermartingale, whatever that chance does over time; so it may
 * be looked at after every request. In odds, o_j = r_j * p/(1-p), each factor is r_j^x / (p*r_j + 1 - p): the event process of this folder,
 * with `p` for the chance of the candidate. The candidate has passed when the same process with all p_j below p speaks against "at least p".
 *
 * Sources: Wald, "Sequential Tests of Statistical Hypotheses" (1945); Waudby-Smith, Ramdas, "Estimating means of bounded random variables by
 * betting" (2024); Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference" (2023).
 */
export function withinLimit(metric: string, limits: readonly [Limited, ...Limited[]], alpha: number): Finding {
  const look = (limit: Limited) => {
    const strata = asStrata(limit);
    return { limit, strata, harm: logEvidence(strata, 1, above(1)), safety: logEvidence(strata, 1, below(1)) };
  };
  const [first, ...others] = limits;
  const { worst, shownAlpha, ...found } = together([look(first), ...others.map(look)], alpha);
  const { limit, strata } = worst;
  return {
    metric,
    ...found,
    interval: asRates(ratioInterval(strata, shownAlpha), limit.rate),
    ...(limit.of !== undefined && { of: limit.of }),
    events: { candidate: limit.events, stable: 0 },
    limit: { rate: limit.rate, ...(limit.ms !== undefined && { ms: limit.ms }) },
  };
}

/**
 * ln of the evidence against "it is worse than is worth catching, and more than negligible": `ratio` speaks against the first, the candidate's
 * own rate against the second. Each is evidence against both together, and so is their average. Without it nothing could ever be shown about
 * what happens to nobody.
 */
export function orNegligible(ratio: number, { rate, events, units }: Limited): number {
  return logMeanExp([ratio, logEvidence(asStrata({ rate, events, units }), 1, below(1))]);
}

/** All of the candidate, also of what could not have gone to stable: nothing is compared. */
export function ofCandidate(strata: Strata): number {
  return strata.reduce((sum, { candidate }) => sum + candidate, 0);
}

function asStrata({ rate, events, units }: Limited): Strata {
  return [{ chance: rate, candidate: events, stable: units - events }];
}

/** The rates whose odds are these multiples of the limit's. */
function asRates({ low, high }: Interval, limit: number): Interval {
  const rateOf = (ratio: number): number => (ratio === unbounded ? 1 : (ratio * limit) / (ratio * limit + 1 - limit));
  return { low: rateOf(low), high: rateOf(high) };
}
