import type { Shares } from '../routing/shares.ts';
import { createCategories, hasValue } from './attributes.ts';
import type { CountedRoute, EvidenceCounts } from './counts.ts';
import type { CopiedPair, Finished } from './meter.ts';
import { countOutcome, createStrata, type LiveStratum } from './strata.ts';
import { createUnitWindows } from './unit-windows.ts';
import { createVariantDraw } from './variant-draw.ts';

/**
 * A worker's part of the counts. Requests that were drawn by themselves are counted; of units only the first outcome of each window is
 * handed on once, for whoever sees all workers to count.
 */
export interface EvidenceSnapshot {
  readonly counts: EvidenceCounts;
  /** Six numbers an outcome: unit, window, index in `counts.strata`, milliseconds, marks, index in `categoryNames` or -1. */
  readonly outcomes: readonly number[];
  readonly categoryNames: readonly string[];
}

export const numbersPerOutcome = 6;

/** What counts for one release. */
export interface EvidenceArm {
  count(finished: Finished, now: number): void;
  copied(pair: CopiedPair): void;
}

/** Evidence of one service and rollout in one worker: units and categories are shared by its releases, so that bounds hit all alike. */
export interface Evidence {
  arm(release: string): EvidenceArm;
  /** Hands the outcomes of units over: they are in one snapshot only. */
  take(): EvidenceSnapshot;
}

/** Of a request and its copy either is as likely to be the one that fails, if the releases do not differ. */
const evenChance = 0.5;
/** Outcomes of units that wait to be taken. */
const mostOutcomes = 65_536;

export function createEvidence(owner: { environment: string; service: string }, route: CountedRoute, epochMs: number): Evidence {
  const { id, latencyThresholdsMs: thresholdsMs, attribute, counted, unitWindowMs, firstSaid } = route;
  const categories = attribute === undefined ? undefined : createCategories(attribute);
  const marksOf = createMarks(counted ?? []);
  const strata = createStrata(thresholdsMs.length, counted?.length);
  const copies = createStrata(thresholdsMs.length);
  const windows = createUnitWindows();
  const drawn = route.byVariant && createVariantDraw(route.byVariant);
  let lostUnits = 0;
  let lostChances = 0;
  let outcomes: number[] = [];

  const keep = (stratum: LiveStratum, finished: Finished, now: number): void => {
    const window = Math.floor((epochMs + now) / unitWindowMs);
    const seen = windows.see(finished.unit, window);
    if (seen === 'seen') return;
    if (seen === 'lost' || outcomes.length >= mostOutcomes * numbersPerOutcome) {
      lostUnits += 1;
      return;
    }
    const category = categories?.of(finished.attributes) ?? -1;
    outcomes.push(finished.unit, window, strata.indexOf(stratum), millisecondsOf(finished), marksOf(finished), category);
  };

  const countIn = (stratum: LiveStratum | undefined, finished: Finished, now: number): void => {
    if (stratum === undefined) lostChances += 1;
    else if (finished.by === 'unit') keep(stratum, finished, now);
    else countOutcome(stratum, thresholdsMs, millisecondsOf(finished), marksOf(finished), categories?.of(finished.attributes) ?? -1);
  };

  /** Whichever release answered: what was drawn is in the answer. */
  const byVariant = (of: NonNullable<typeof drawn>): EvidenceArm => ({
    count: (finished, now) => {
      if (finished.by === 'override' || !isUnit(finished.ending)) return;
      const draw = of(finished.attributes);
      if (draw !== undefined) countIn(strata.of(draw.side, draw.probability), finished, now);
    },
    // Copies are of releases, and say nothing of variants.
    copied: () => undefined,
  });

  return {
    arm: (release) => {
      if (drawn !== undefined) return byVariant(drawn);
      const known = new Map<number | string, LiveStratum | undefined>();
      let lastChance = Number.NaN;
      let lastShares: Shares | undefined;
      let last: LiveStratum | undefined;
      return {
        count: (finished, now) => {
          if (finished.by === 'override' || !isUnit(finished.ending)) return;
          if (firstSaid && (finished.by !== 'unit' || categories?.of(finished.attributes) === -1)) return;
          if (finished.probability !== lastChance || finished.shares !== lastShares) {
            lastChance = finished.probability;
            lastShares = finished.shares;
            const key = lastShares?.key ?? lastChance;
            if (!known.has(key)) known.set(key, strata.of(release, lastChance, lastShares));
            last = known.get(key);
            if (known.size > 1_024) known.clear();
          }
          countIn(last, finished, now);
        },
        copied: ({ release: other, original, copy }) => {
          if (firstSaid) return;
          const [ours, theirs] = [copies.of(release, evenChance), copies.of(other, evenChance)];
          if (ours === undefined || theirs === undefined) return;
          countOutcome(ours, thresholdsMs, copy.totalMs, copy.isError ? 1 : 0, -1);
          countOutcome(theirs, thresholdsMs, original.totalMs, original.isError ? 1 : 0, -1);
        },
      };
    },
    take: () => {
      const taken = outcomes;
      outcomes = [];
      const categoryNames = categories === undefined ? [] : [...categories.names()];
      return {
        counts: {
          ...owner,
          id,
          thresholdsMs,
          ...(attribute !== undefined && { attribute }),
          ...(counted !== undefined && { counted }),
          unitWindowMs,
          strata: strata.snapshot(categoryNames),
          copies: copies.snapshot([]),
          lost: { units: lostUnits, chances: lostChances },
        },
        outcomes: taken,
        categoryNames,
      };
    },
  };
}

/** What one outcome was, as bits: the lowest one for an error, the next ones for the values that are counted. */
function createMarks(counted: NonNullable<CountedRoute['counted']>): (finished: Finished) => number {
  return (finished) => {
    let marks = isError(finished) ? 1 : 0;
    for (let index = 0; index < counted.length; index += 1) {
      const { attribute, value } = counted[index] as (typeof counted)[number];
      if (hasValue(finished.attributes, attribute, value)) marks |= 2 << index;
    }
    return marks;
  };
}

/** Whether it says something about its service: neither refused nor cached requests reached it, and a client that left is no outcome. */
function isUnit(ending: Finished['ending']): boolean {
  return ending !== 'abandoned' && ending !== 'refused' && ending !== 'cached';
}

/** How long the whole took; the length of a switched connection says nothing about its service. */
function millisecondsOf({ ending, totalMs }: Finished): number {
  return ending === 'switched' ? -1 : totalMs;
}

/** Whether the service is to blame: status 5xx, no answer, or one that broke off. What a client gave up or was refused is no error. */
export function isError({ ending, status }: Finished): boolean {
  if (ending === 'failed' || ending === 'aborted') return true;
  return status >= 500 && ending === 'answered';
}
