import { ratioInterval, unbounded } from './confidence.ts';
import { logEvidence } from './event-process.ts';
import { above, below, type Finding, type Looked, plain, together, verdictOf, worthCatching } from './finding.ts';
import { type Limited, ofCandidate, orNegligible, withinLimit } from './limit.ts';
import type { SourceFinding } from '../sources/source-finding.ts';
import { logMeanExp } from './log-sum-exp.ts';
import { logSplitMismatch } from './split-check.ts';
import { addStrata, type Strata, totals } from './strata.ts';
import { judgeTally, type TallyRule } from './tally.ts';

/** What is compared. `tolerate`: how many times stable's rate the candidate's may be; `atMost`: the candidate's rate itself;
 * `negligible`: the rate below which no difference is worth catching. */
export interface Rules {
  /** Chance of a false rollback over the whole rollout, over all metrics together, however often it looks. */
  readonly alpha: number;
  readonly errors?: { readonly tolerate: number; readonly atMost?: number; readonly negligible?: number };
  /** `limits`: at each of these quantiles the candidate may take so long (ms) at most. */
  readonly latency?: { readonly quantiles: readonly number[]; readonly limits?: readonly LatencyLimit[] };
  readonly decisions?: { readonly attribute: string };
  readonly tallies?: readonly TallyRule[];
  /** Units of the candidate below which there is no verdict but on what has already failed. */
  readonly minUnits: number;
  /** What units are called in the verdict; undefined: requests. */
  readonly of?: 'users';
}

export interface LatencyLimit {
  readonly quantile: number;
  readonly ms: number;
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
  /** What units met only after their first outcome: not part of the above. Absent where there is none. */
  readonly later?: { readonly errors: Strata; readonly slow: readonly Strata[] };
  /** By value of the attribute. */
  readonly decisions: Readonly<Record<string, Strata>>;
  /** By latency limit of the rules: requests that took longer. */
  readonly late?: readonly Strata[];
  /** By tally of the rules. */
  readonly tallied?: readonly Strata[];
}

export interface Verdict {
  /** `error`: the evidence itself is not to be trusted; nothing follows from it about the candidate. */
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'error';
  /** What `units` are; undefined: requests that the candidate has answered. */
  readonly of?: 'copies' | 'users';
  readonly units: number;
  readonly findings: readonly Finding[];
  /** What others than the gateway have found; absent where nothing else is asked. */
  readonly sources?: readonly SourceFinding[];
  readonly because: string;
}

/** Level at which the split counts as broken: far below any alpha, as it is looked at for ever. */
const mismatchAlpha = 0.001;
const bothWays = [...above(1), ...below(1)].map(({ ratio, weight }) => ({ ratio, weight: weight / 2 }));

/**
 * Judges a candidate by all that was counted. Pure, and valid at any moment: looking more often changes nothing. No data is never a pass:
 * below `minUnits` the verdict is `inconclusive` or `fail`.
 */
export function judge(counts: Counts, rules: Rules): Verdict {
  const units = totals(counts.units).candidate;
  const of = rules.of && { of: rules.of };
  const judgements = judgementsOf(counts, rules);
  const alpha = rules.alpha / Math.max(1, judgements.length);
  const findings = judgements.map((judgement) => judgement(alpha));
  const mismatch = Math.exp(logSplitMismatch(counts.units));
  if (mismatch >= 1 / mismatchAlpha) {
    const because = `${rules.of ?? 'requests'} did not go to the releases in the declared proportion (evidence ${Math.round(mismatch)} to 1): the comparison is worthless`;
    return { verdict: 'error', ...of, units, findings, because };
  }
  const failed = findings.filter(({ verdict }) => verdict === 'fail');
  if (failed.length > 0) return { verdict: 'fail', ...of, units, findings, because: failureInWords(failed) };
  if (units < rules.minUnits) {
    const because = `${units} of ${rules.minUnits} candidate ${rules.of ?? 'requests'} have been seen`;
    return { verdict: 'inconclusive', ...of, units, findings, because };
  }
  const open = namesOf(findings.filter(({ verdict }) => verdict === 'inconclusive'));
  if (open !== '') return { verdict: 'inconclusive', ...of, units, findings, because: `nothing is shown yet about ${open}` };
  return { verdict: 'pass', ...of, units, findings, because: 'no metric is worse by as much as is worth catching' };
}

function failureInWords(failed: readonly Finding[]): string {
  const compared = namesOf(failed.filter(({ limit }) => limit === undefined));
  const limited = namesOf(failed.filter(({ limit }) => limit !== undefined));
  const sentences = [
    ...(compared === '' ? [] : [`${compared} got worse than is tolerated`]),
    ...(limited === '' ? [] : [`${limited}: more than is allowed at most`]),
  ];
  return sentences.join('; ');
}

function namesOf(findings: readonly Finding[]): string {
  return [...new Set(findings.map(({ metric }) => metric))].join(' and ');
}

const none: Strata = [];

type Judgement = (alpha: number) => Finding;

/** Everything that is judged, each at its share of alpha. */
function judgementsOf(counts: Counts, { errors, latency, decisions, tallies = [], of }: Rules): readonly Judgement[] {
  // Users are looked at in two ways, also before any has met something later.
  const { errors: laterErrors = none, slow: laterSlow = [] } = counts.later ?? {};
  const units = ofCandidate(counts.units);
  const judgements: Judgement[] = [];
  const failed = { events: ofCandidate(counts.errors), units };
  if (errors) {
    const negligible = errors.negligible === undefined ? undefined : { rate: errors.negligible, ...failed };
    judgements.push((alpha) =>
      oneSided('errors', [{ strata: counts.errors, later: of && laterErrors }], errors.tolerate, alpha, negligible),
    );
  }
  const rate = errors?.atMost;
  if (rate !== undefined) judgements.push((alpha) => withinLimit('errors', [{ rate, ...failed }], alpha));
  if (latency) {
    const byQuantile = latency.quantiles.map((quantile, index) => {
      const [strata, later] = [counts.slow[index] ?? [], of && (laterSlow[index] ?? none)];
      return { strata, later, of: quantileName(quantile) };
    });
    // What is tolerated is in the thresholds already.
    if (hasAny(byQuantile)) judgements.push((alpha) => oneSided('latency', byQuantile, 1, alpha));
  }
  const limits = (latency?.limits ?? []).map(({ quantile, ms }, index) => ({
    rate: Number((1 - quantile).toFixed(9)),
    events: ofCandidate(counts.late?.[index] ?? []),
    units,
    of: quantileName(quantile),
    ms,
  }));
  if (hasAny(limits)) judgements.push((alpha) => withinLimit('latency', limits, alpha));
  if (decisions) judgements.push((alpha) => shifted(counts.decisions, alpha));
  for (const [index, tally] of tallies.entries())
    judgements.push((alpha) => judgeTally(tally, counts.tallied?.[index] ?? [], units, alpha));
  return judgements;
}

interface Compared {
  readonly strata: Strata;
  /** Events of units that came again. */
  readonly later?: Strata | undefined;
  readonly of?: string;
}

type Comparison = readonly [Compared, ...Compared[]];

function hasAny<Item>(items: readonly Item[]): items is readonly [Item, ...Item[]] {
  return items.length > 0;
}

/**
 * Users who come again are looked at in two ways, by their first outcome and by what they have met at all: the first is blind to a candidate
 * that fails after an hour, and in the second everybody has met everything in the end. Where a unit went is as likely by either, if the
 * releases do not differ. Only by first outcomes is a candidate safe: that of heavy users all have met an error says little about how often
 * there are errors.
 */
function oneSided(metric: string, compared: Comparison, tolerate: number, alpha: number, negligible?: Limited): Finding {
  const caught = tolerate * worthCatching;
  const [worse, better] = [above(tolerate), below(caught)];
  const looksAt = ({ strata, later, of }: Compared): readonly [Look, ...Look[]] => {
    const ratio = logEvidence(strata, caught, better);
    const safety = negligible ? orNegligible(ratio, negligible) : ratio;
    const first = { strata, of, harm: logEvidence(strata, tolerate, worse), safety };
    if (later === undefined) return [first];
    const atAll = addStrata(strata, later);
    return [first, { strata: atAll, of, harm: logEvidence(atAll, tolerate, worse) }];
  };
  const [first, ...others] = compared;
  const { worst, shownAlpha, ...found } = together([...looksAt(first), ...others.flatMap(looksAt)], alpha);
  return {
    metric,
    ...found,
    interval: ratioInterval(worst.strata, shownAlpha),
    ...(worst.of !== undefined && { of: worst.of }),
    events: totals(worst.strata),
  };
}

interface Look extends Looked {
  readonly strata: Strata;
  readonly of: string | undefined;
}

/** As many values as there ever are of an attribute; the gateway counts what comes after 24 of them as one. */
const mostValues = 64;
const harmonic = Array.from({ length: mostValues }, (_, index) => 1 / (index + 1)).reduce((sum, part) => sum + part, 0);

/**
 * Whether the mix of decisions depends on the release: each value's events against an equal rate, both ways. Values come up one after the
 * other, and each brings a new e-value of 1 into a plain average, which therefore is none. The k-th one has 1/k of `harmonic`, from the beginning
 * on; of K values that is at least the average over `harmonic`, which needs to know no order.
 */
function shifted(decisions: Counts['decisions'], alpha: number): Finding {
  const [first, ...others] = Object.entries(decisions).map(([of, strata]) => ({ of, strata, harm: logEvidence(strata, 1, bothWays) }));
  // Without a single decision nothing is shown about them.
  if (first === undefined) {
    const none = { low: 0, high: unbounded };
    const verdict = 'inconclusive';
    return { metric: 'decisions', harm: 0, safety: 0, bar: 1 / alpha, verdict, interval: none, events: { candidate: 0, stable: 0 } };
  }
  const values: readonly [typeof first, ...(typeof first)[]] = [first, ...others];
  const { worst, shownAlpha } = together(values, alpha);
  const harm = plain(logMeanExp(values.map((value) => value.harm)) - Math.log(harmonic));
  const needed = commonest(values);
  const safety = needed.length === 0 ? 0 : plain(Math.min(...needed.map(({ strata }) => unshifted(strata))));
  return {
    metric: 'decisions',
    harm,
    safety,
    bar: 1 / alpha,
    verdict: verdictOf(harm, safety, alpha),
    interval: ratioInterval(worst.strata, shownAlpha / harmonic),
    of: worst.of,
    events: totals(worst.strata),
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
  return Math.min(
    logEvidence(strata, worthCatching, below(worthCatching)),
    logEvidence(strata, 1 / worthCatching, above(1 / worthCatching)),
  );
}

function quantileName(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(3))}`;
}
