import { type Interval, ratioInterval, unbounded } from './confidence.ts';
import { gridBetween, logEvidence } from './event-process.ts';
import { logMeanExp } from './log-sum-exp.ts';
import { logSplitMismatch } from './split-check.ts';
import { type Strata, totals } from './strata.ts';

/** What is compared. `tolerate`: how many times stable's rate the candidate's may be. */
export interface Rules {
  /** Chance of a false rollback over the whole rollout, over all metrics together, however often it looks. */
  readonly alpha: number;
  readonly errors?: { readonly tolerate: number };
  readonly latency?: { readonly quantiles: readonly number[] };
  readonly decisions?: { readonly attribute: string };
  /** Units of the candidate below which there is no verdict but on what has already failed. */
  readonly minUnits: number;
}

/** Everything counted since the rollout began. */
export interface Counts {
  /** Units by where they went. */
  readonly units: Strata;
  readonly errors: Strata;
  /**
   * By quantile of the rules: requests of stable slower than the threshold frozen before the rollout, and of the candidate slower than the
   * tolerated multiple of it. Then a candidate that is slower by no more than is tolerated has no more events than stable.
   */
  readonly slow: readonly Strata[];
  /** By value of the attribute. */
  readonly decisions: Readonly<Record<string, Strata>>;
}

type Metric = 'errors' | 'latency' | 'decisions';

/** The numbers behind one metric's part of the verdict. */
export interface Finding {
  readonly metric: Metric;
  /** E-value against "no worse than tolerated"; the metric has failed at `bar`. */
  readonly harm: number;
  /** E-value against "worse by as much as is worth catching"; the metric has passed at `bar`. 0 where nothing can be shown. */
  readonly safety: number;
  readonly bar: number;
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  /** Ratio of the candidate's rate to stable's, always valid; of latency, at the worst quantile; of decisions, of the value that moved most. */
  readonly interval: Interval;
  /** Quantile or value the interval is of. */
  readonly of?: string;
  readonly events: { readonly candidate: number; readonly stable: number };
}

export type Verdict =
  | {
      readonly verdict: 'pass' | 'fail' | 'inconclusive';
      /** What `units` are; undefined: requests that the candidate has answered. */
      readonly of?: 'copies';
      readonly units: number;
      readonly findings: readonly Finding[];
      readonly because: string;
    }
  /** The evidence itself is not to be trusted; nothing follows from it about the candidate. */
  | {
      readonly verdict: 'error';
      readonly of?: 'copies';
      readonly units: number;
      readonly findings: readonly Finding[];
      readonly because: string;
    };

/** Level at which the split counts as broken: far below any alpha, as it is looked at for ever. */
const mismatchAlpha = 0.001;
/** A rate this many times the tolerated one is worth catching: the promote test shows that it is not so. */
const worthCatching = 2;
const gridSize = 20;
const steepest = 100;
const bothWays = [...gridBetween(1.1, steepest, gridSize), ...gridBetween(1 / 1.1, 1 / steepest, gridSize)].map(({ ratio, weight }) => ({
  ratio,
  weight: weight / 2,
}));

/**
 * Judges a candidate by all that was counted. Pure, and valid at any moment: looking more often changes nothing. No data is never a pass:
 * below `minUnits` the verdict is `inconclusive` or `fail`.
 */
export function judge(counts: Counts, rules: Rules): Verdict {
  const units = totals(counts.units).candidate;
  const metrics = metricsOf(rules);
  const bar = Math.max(1, metrics.length) / rules.alpha;
  const findings = metrics.map((metric) => findingOf(metric, counts, rules, bar));
  const mismatch = Math.exp(logSplitMismatch(counts.units));
  if (mismatch >= 1 / mismatchAlpha) {
    const because = `requests did not go to the releases in the declared proportion (evidence ${Math.round(mismatch)} to 1): the comparison is worthless`;
    return { verdict: 'error', units, findings, because };
  }
  const failed = findings.filter(({ verdict }) => verdict === 'fail').map(({ metric }) => metric);
  if (failed.length > 0) return { verdict: 'fail', units, findings, because: `${failed.join(' and ')} got worse than is tolerated` };
  if (units < rules.minUnits) {
    return { verdict: 'inconclusive', units, findings, because: `${units} of ${rules.minUnits} candidate requests have been seen` };
  }
  const open = findings.filter(({ verdict }) => verdict === 'inconclusive').map(({ metric }) => metric);
  if (open.length > 0) return { verdict: 'inconclusive', units, findings, because: `nothing is shown yet about ${open.join(' and ')}` };
  return { verdict: 'pass', units, findings, because: 'no metric is worse by as much as is worth catching' };
}

function metricsOf(rules: Rules): Metric[] {
  return (['errors', 'latency', 'decisions'] as const).filter((metric) => rules[metric] !== undefined);
}

function findingOf(metric: Metric, counts: Counts, rules: Rules, bar: number): Finding {
  const alpha = 1 / bar;
  if (metric === 'decisions') return shifted(counts.decisions, alpha);
  if (metric === 'errors') return oneSided(metric, [{ strata: counts.errors }], rules.errors?.tolerate ?? 1, alpha);
  const byQuantile = (rules.latency?.quantiles ?? []).map((quantile, index) => ({
    strata: counts.slow[index] ?? [],
    of: quantileName(quantile),
  }));
  // What is tolerated is in the thresholds already.
  return oneSided(metric, byQuantile, 1, alpha);
}

interface Compared {
  readonly strata: Strata;
  readonly of?: string;
}

/** Averages of e-values over the quantiles are e-values; products of dependent ones would not be. */
function oneSided(metric: Metric, compared: readonly Compared[], tolerate: number, alpha: number): Finding {
  const worse = gridBetween(tolerate * 1.1, tolerate * steepest, gridSize);
  const harm = plain(logMeanExp(compared.map(({ strata }) => logEvidence(strata, tolerate, worse))));
  const caught = tolerate * worthCatching;
  const better = gridBetween(caught / 1.1, caught / steepest, gridSize);
  // To be safe, every quantile must be: the least of e-values against each is an e-value against any.
  const safety = plain(Math.min(...compared.map(({ strata }) => logEvidence(strata, caught, better))));
  const worst = compared
    .map(({ strata, of }) => ({ strata, of, at: logEvidence(strata, tolerate, worse) }))
    .reduce((one, other) => (other.at > one.at ? other : one));
  return {
    metric,
    harm,
    safety,
    bar: 1 / alpha,
    verdict: verdictOf(harm, safety, alpha),
    interval: ratioInterval(worst.strata, alpha),
    ...(worst.of !== undefined && { of: worst.of }),
    events: totals(worst.strata),
  };
}

/** Whether the mix of decisions depends on the release: each value's events against an equal rate, both ways, averaged. */
function shifted(decisions: Counts['decisions'], alpha: number): Finding {
  const values = Object.entries(decisions).map(([of, strata]) => ({ of, strata, log: logEvidence(strata, 1, bothWays) }));
  const harm = values.length === 0 ? 0 : plain(logMeanExp(values.map(({ log }) => log)));
  const most = values.reduce<(typeof values)[number] | undefined>((one, other) => (one && one.log >= other.log ? one : other), undefined);
  const needed = commonest(values);
  // Without a single decision nothing is shown about them.
  const safety = needed.length === 0 ? 0 : plain(Math.min(...needed.map(({ strata }) => unshifted(strata))));
  return {
    metric: 'decisions',
    harm,
    safety,
    bar: 1 / alpha,
    verdict: verdictOf(harm, safety, alpha),
    interval: most ? ratioInterval(most.strata, alpha) : { low: 0, high: unbounded },
    ...(most && { of: most.of }),
    events: most ? totals(most.strata) : { candidate: 0, stable: 0 },
  };
}

/** The values that make up nine tenths of all decisions: of rarer ones nothing could be shown before very many requests. */
function commonest<Value extends { readonly strata: Strata }>(values: readonly Value[]): readonly Value[] {
  const counted = values.map((value) => ({ value, events: totals(value.strata).candidate + totals(value.strata).stable }));
  const all = counted.reduce((sum, { events }) => sum + events, 0);
  let covered = 0;
  return counted
    .sort((one, other) => other.events - one.events)
    .filter(({ events }) => {
      const isNeeded = covered < 0.9 * all;
      covered += events;
      return isNeeded;
    })
    .map(({ value }) => value);
}

/** Evidence against "at least twice as often" and against "at most half as often", whichever is less. */
function unshifted(strata: Strata): number {
  const below = gridBetween(worthCatching / 1.1, worthCatching / steepest, gridSize);
  const above = gridBetween(1.1 / worthCatching, steepest / worthCatching, gridSize);
  return Math.min(logEvidence(strata, worthCatching, below), logEvidence(strata, 1 / worthCatching, above));
}

/** An e-value from its logarithm, as a number that a store can keep. */
function plain(logarithm: number): number {
  return Math.min(Math.exp(logarithm), Number.MAX_VALUE);
}

function verdictOf(harm: number, safety: number, alpha: number): Finding['verdict'] {
  if (harm >= 1 / alpha) return 'fail';
  return safety >= 1 / alpha ? 'pass' : 'inconclusive';
}

function quantileName(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(3))}`;
}
