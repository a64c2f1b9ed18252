import type { Interval } from './confidence.ts';
import { compareRates, type RateComparison, type RateCounts } from './rate-comparison.ts';
import { logSplitMismatch } from './split-check.ts';
import { addStrata, type Strata } from './strata.ts';

/** What was counted while every release had one and the same chance. By release: units with an outcome, and those with the one counted. */
export interface OutcomeStratum {
  readonly shares: Readonly<Record<string, number>>;
  readonly units: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
}

export type OutcomeCounts = readonly OutcomeStratum[];

export interface ExperimentRules {
  /** Chance that a difference is found although there is none, over all comparisons together, however often it looks. */
  readonly alpha: number;
  readonly goal: 'more' | 'fewer';
  /** Pairs that may ever be compared: each has an equal part of `alpha`. */
  readonly comparisons: number;
}

export interface Rate {
  readonly units: number;
  readonly events: number;
}

/** What is known of one release beside another. */
interface Beside {
  /** How many times the other's rate the one's is, always valid. */
  readonly interval: Interval;
  /** E-value against "no difference"; found at `1 / level`. */
  readonly evidence: number;
  readonly verdict: 'better' | 'worse' | 'open';
}

export interface ArmFinding extends Beside, Rate {
  readonly arm: string;
}

export interface ExperimentFinding {
  /** `error`: the counts are not to be trusted, nothing follows from them. */
  readonly outcome: 'winner' | 'control' | 'no_difference' | 'error';
  readonly winner?: string;
  readonly because: string;
  /** Confidence of each interval. */
  readonly level: number;
  readonly control: Rate;
  /** Each beside control. */
  readonly arms: readonly ArmFinding[];
  /** Of each two arms. */
  readonly pairs: readonly (Beside & { readonly one: string; readonly other: string })[];
}

interface Arm {
  readonly name: string;
  readonly release: string;
}

/** As for the split of a rollout: far below any alpha. */
const mismatchAlpha = 0.001;

/** Pairs among so many arms and control. */
export function comparisonsOf(arms: number): number {
  return (arms * (arms + 1)) / 2;
}

/**
 * Compares every arm with control and with every other one. Pure, and valid at any moment. An arm wins that is better than control with
 * confidence and not worse than another such; of several, the one with the best rate. `control`: every arm is worse than it.
 */
export function judgeExperiment(
  counts: OutcomeCounts,
  { arms, control }: { readonly arms: readonly Arm[]; readonly control: string },
  { alpha, goal, comparisons }: ExperimentRules,
): ExperimentFinding {
  const level = alpha / comparisons;
  const beside = (one: string, other: string): Beside => {
    const { verdict, ...compared } = compareRates(ratesBetween(counts, one, other), level);
    return { ...compared, verdict: betterOrWorse(verdict, goal) };
  };
  const findings = arms.map(({ name, release }): ArmFinding => {
    const { units, events } = rateOf(counts, release);
    const { interval, evidence, verdict } = beside(release, control);
    return { arm: name, units, events, interval, evidence, verdict };
  });
  const pairs = pairsOf(arms).map(([one, other]) => {
    const { interval, evidence, verdict } = beside(one.release, other.release);
    return { one: one.name, other: other.name, interval, evidence, verdict };
  });
  const found = { level: 1 - level, control: rateOf(counts, control), arms: findings, pairs };
  const uneven = arms.find(({ release }) => isUneven(ratesBetween(counts, release, control)));
  if (uneven) {
    const because = `users with an outcome do not come to ${uneven.name} and to control in the proportion they were sent in: the comparison is worthless`;
    return { ...found, outcome: 'error', because };
  }
  return { ...found, ...outcomeOf(findings, pairs, goal) };
}

function outcomeOf(
  arms: readonly ArmFinding[],
  pairs: ExperimentFinding['pairs'],
  goal: ExperimentRules['goal'],
): Pick<ExperimentFinding, 'outcome' | 'winner' | 'because'> {
  const better = arms.filter(({ verdict }) => verdict === 'better');
  const isBeaten = (name: string): boolean =>
    pairs.some(({ one, other, verdict }) => (one === name && verdict === 'worse') || (other === name && verdict === 'better'));
  const [winner, ...others] = better
    .filter(({ arm }) => !isBeaten(arm))
    .toSorted((left, right) => sign(goal) * (share(right) - share(left)));
  if (winner) {
    const equals = others.length === 0 ? '' : `; not told apart from ${others.map(({ arm }) => arm).join(' and ')}`;
    return { outcome: 'winner', winner: winner.arm, because: `${winner.arm} is better than control${equals}` };
  }
  if (arms.length > 0 && arms.every(({ verdict }) => verdict === 'worse')) {
    return { outcome: 'control', because: 'every arm is worse than control' };
  }
  const worse = arms.filter(({ verdict }) => verdict === 'worse').map(({ arm }) => arm);
  const also = worse.length === 0 ? '' : `, and ${worse.join(' and ')} is worse`;
  return { outcome: 'no_difference', because: `no arm is shown to be better than control${also}` };
}

function betterOrWorse(verdict: RateComparison['verdict'], goal: ExperimentRules['goal']): Beside['verdict'] {
  if (verdict === 'open') return 'open';
  return verdict === goal ? 'better' : 'worse';
}

/** The counts of two releases from when either could be drawn, by the chance of the one given that it was one of the two. */
export function ratesBetween(counts: OutcomeCounts, one: string, other: string): RateCounts {
  const collect = (of: 'units' | 'events'): Strata => {
    const strata = counts.flatMap((stratum) => {
      const [mine, theirs] = [stratum.shares[one] ?? 0, stratum.shares[other] ?? 0];
      if (mine === 0 || theirs === 0) return [];
      const chance = Number((mine / (mine + theirs)).toFixed(6));
      return [{ chance, candidate: stratum[of][one] ?? 0, stable: stratum[of][other] ?? 0 }];
    });
    return addStrata(strata, []);
  };
  return { units: collect('units'), events: collect('events') };
}

/** Units and events of a release, whatever its chance was. */
export function rateOf(counts: OutcomeCounts, release: string): Rate {
  let [units, events] = [0, 0];
  for (const stratum of counts) {
    units += stratum.units[release] ?? 0;
    events += stratum.events[release] ?? 0;
  }
  return { units, events };
}

function isUneven({ units }: RateCounts): boolean {
  return logSplitMismatch(units) >= Math.log(1 / mismatchAlpha);
}

function share({ units, events }: Rate): number {
  return units === 0 ? 0 : events / units;
}

function sign(goal: ExperimentRules['goal']): number {
  return goal === 'more' ? 1 : -1;
}

function pairsOf<Item>(items: readonly Item[]): (readonly [Item, Item])[] {
  return items.flatMap((one, index) => items.slice(index + 1).map((other) => [one, other] as const));
}
