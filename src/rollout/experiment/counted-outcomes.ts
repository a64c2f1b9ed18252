import type { OutcomeCounts, OutcomeStratum } from '../evidence/experiment.ts';
import type { CountedStratum } from '../traffic.ts';
import type { CountedOutcomes } from './experiment-state.ts';

/** Outcomes as the gateway counts them at this moment. */
export interface SeenOutcomes {
  /** Counts of another epoch begin at zero: the gateway was started anew. Empty while it counts nothing of this experiment. */
  readonly epoch: string;
  readonly counts: OutcomeCounts;
  readonly isComplete: boolean;
}

/** Of each draw's chances, how many users said an outcome, and how many the one that counts. */
export function outcomesOf(strata: readonly CountedStratum[], value: string): OutcomeCounts {
  return merged(
    strata.flatMap(({ release, shares, units, categories }) =>
      shares ? [{ shares, units: { [release]: units }, events: { [release]: categories[value] ?? 0 } }] : [],
    ),
  );
}

/** What is known with what the gateway has counted since. Counts of earlier lives of the gateway are kept. */
export function foldOutcomes(known: CountedOutcomes | undefined, seen: SeenOutcomes | undefined): CountedOutcomes | undefined {
  // The gateway counts for another rollout, or not yet: what it has counted of this one may come again.
  if (!seen || seen.epoch === '') return known;
  if (!known) return { before: [], epoch: seen.epoch, current: seen.counts, isComplete: seen.isComplete };
  const isSameLife = known.epoch === seen.epoch && unitsOf(seen.counts) >= unitsOf(known.current);
  return {
    before: isSameLife ? known.before : merged([...known.before, ...known.current]),
    epoch: seen.epoch,
    current: seen.counts,
    isComplete: known.isComplete && seen.isComplete,
  };
}

export function allOutcomes(known: CountedOutcomes | undefined): OutcomeCounts {
  return known ? merged([...known.before, ...known.current]) : [];
}

function merged(strata: readonly OutcomeStratum[]): OutcomeCounts {
  const byShares = new Map<string, OutcomeStratum>();
  for (const stratum of strata) {
    const key = JSON.stringify(Object.entries(stratum.shares).toSorted(([left], [right]) => (left < right ? -1 : 1)));
    const known = byShares.get(key);
    byShares.set(
      key,
      known ? { ...known, units: added(known.units, stratum.units), events: added(known.events, stratum.events) } : stratum,
    );
  }
  return [...byShares.values()];
}

function added(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const sums: Record<string, number> = { ...one };
  for (const [release, count] of Object.entries(other)) sums[release] = (sums[release] ?? 0) + count;
  return sums;
}

function unitsOf(counts: OutcomeCounts): number {
  return counts.reduce((sum, { units }) => sum + Object.values(units).reduce((all, count) => all + count, 0), 0);
}
