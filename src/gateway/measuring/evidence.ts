import type { Shares } from '../routing/shares.ts';
import type { UnitDraw } from '../routing/unit-draw.ts';
import { createCategories, hasValue } from './attributes.ts';
import type { CountedRoute, EvidenceCounts } from './counts.ts';
import type { CopiedPair, Finished, Underway } from './meter.ts';
import { createOpenRequests } from './open-requests.ts';
import { countOutcome, createStrata, type LiveStratum } from './strata.ts';
import { createUnitOutcomes, type ReleaseDraw } from './unit-outcomes.ts';
import { createVariantDraw, keyedUnit } from './variant-draw.ts';
import { createWaitingOutcomes } from './waiting-outcomes.ts';

/**
 * A worker's part of the counts. Requests that were drawn by themselves are counted; outcomes of units that may tell something new are
 * handed on, for whoever sees all workers to count (`UnitCounts`).
 */
export interface EvidenceSnapshot {
  readonly counts: EvidenceCounts;
  /** Five numbers an outcome: unit, index in `draws`, milliseconds, marks, index in `categoryNames` or -1. */
  readonly outcomes: readonly number[];
  /** How units were drawn, and which release had them. */
  readonly draws: readonly ReleaseDraw[];
  readonly categoryNames: readonly string[];
}

/** What counts for one release. */
export interface EvidenceArm {
  begun(request: Underway): void;
  count(finished: Finished, request?: Underway): void;
  copied(pair: CopiedPair): void;
}

/** Evidence of one service and rollout in one worker: units and categories are shared by its releases, so that bounds hit all alike. */
export interface Evidence {
  arm(release: string): EvidenceArm;
  /** The same evidence by a new table: a flag may be drawn with another chance. Arms are to be asked for anew. */
  follow(route: CountedRoute): void;
  /**
   * Counts requests that began before `dueAt`, those that began before `unansweredAt` (monotonic ms) without an answer as failed, and hands the outcomes of
   * units over: they are in one snapshot only. Without times everything has ended, and is counted.
   */
  take(times?: { readonly dueAt: number; readonly unansweredAt: number }): EvidenceSnapshot;
}

/** Of a request and its copy either is as likely to be the one that fails, if the releases do not differ. */
const evenChance = 0.5;

/** `now`: monotonic milliseconds. Requests that began before it was created are of other counts. */
export function createEvidence(owner: { environment: string; service: string }, route: CountedRoute, now: () => number): Evidence {
  const { id, latencyThresholdsMs: thresholdsMs, attribute, counted, firstSaid } = route;
  const categories = attribute === undefined ? undefined : createCategories(attribute);
  const marksOf = createMarks(counted ?? []);
  const strata = createStrata(thresholdsMs.length, counted?.length);
  const copies = createStrata(thresholdsMs.length);
  const units = createUnitOutcomes(thresholdsMs, firstSaid === true);
  let drawn = route.byVariant && createVariantDraw(route.byVariant);
  let lostUnits = 0;
  let lostChances = 0;

  const createdAt = now();
  const open = createOpenRequests(now);
  // Below zero are the draws of units.
  const waiting = createWaitingOutcomes((target, unit, milliseconds, marks, category) => {
    if (target >= 0) countOutcome(strata.at(target) as LiveStratum, thresholdsMs, milliseconds, marks, category);
    else if (!units.add(-1 - target, unit, milliseconds, marks, category)) lostUnits += 1;
  });

  const wait = (target: number, finished: Finished, unit: number): void => {
    const begunAt = now() - finished.totalMs;
    if (begunAt < createdAt) return;
    const category = categories?.of(finished.attributes) ?? -1;
    waiting.add(begunAt, [target, unit, millisecondsOf(finished), marksOf(finished), category]);
  };

  const keep = (draw: number, finished: Finished, unit = finished.unit): void => {
    if (draw < 0) lostChances += 1;
    else wait(-1 - draw, finished, unit);
  };

  const countIn = (stratum: LiveStratum | undefined, finished: Finished): void => {
    if (stratum === undefined) lostChances += 1;
    else wait(strata.indexOf(stratum), finished, 0);
  };

  /** Whichever release answered: what was drawn, and for whom, is in the answer. One by itself is no draw of a flag, which users keep. */
  const byVariant = (of: NonNullable<typeof drawn>): EvidenceArm => ({
    // Without an answer nobody knows.
    begun: () => undefined,
    count: (finished) => {
      if (finished.by === 'override' || !isUnit(finished.ending)) return;
      const drew = of(finished.attributes);
      const unit = keyedUnit(finished.attributes) ?? (finished.by === 'unit' ? finished.unit : undefined);
      if (drew !== undefined && unit !== undefined) keep(units.numberOf(drew.side, drew.draw), finished, unit);
    },
    // Copies are of releases, and say nothing of variants.
    copied: () => undefined,
  });

  return {
    follow: ({ byVariant: next }) => {
      drawn = next && createVariantDraw(next);
    },
    arm: (release) => {
      if (drawn !== undefined) return byVariant(drawn);
      const known = new Map<number | string, LiveStratum | undefined>();
      let lastChance = Number.NaN;
      let lastShares: Shares | undefined;
      let last: LiveStratum | undefined;
      let lastDraw: UnitDraw | undefined;
      let lastNumber = -1;
      const count = (finished: Finished): void => {
        if (finished.by === 'override' || !isUnit(finished.ending)) return;
        if (firstSaid && (finished.by !== 'unit' || categories?.of(finished.attributes) === -1)) return;
        if (finished.draw !== undefined) {
          if (finished.draw !== lastDraw) [lastDraw, lastNumber] = [finished.draw, units.numberOf(release, finished.draw)];
          keep(lastNumber, finished);
          return;
        }
        if (finished.probability !== lastChance || finished.shares !== lastShares) {
          lastChance = finished.probability;
          lastShares = finished.shares;
          const key = lastShares?.key ?? lastChance;
          if (!known.has(key)) known.set(key, strata.of(release, lastChance, lastShares));
          last = known.get(key);
          if (known.size > 1_024) known.clear();
        }
        countIn(last, finished);
      };
      return {
        begun: (request) => {
          if (!firstSaid) open.begun(request, count);
        },
        count: (finished, request) => {
          if (open.ended(request, finished)) count(finished);
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
    take: (times) => {
      waiting.handOn(times === undefined ? Number.POSITIVE_INFINITY : open.settle(times.dueAt, times.unansweredAt));
      const categoryNames = categories === undefined ? [] : [...categories.names()];
      return {
        counts: {
          ...owner,
          id,
          thresholdsMs,
          ...(attribute !== undefined && { attribute }),
          ...(counted !== undefined && { counted }),
          ...(firstSaid && { onlyFirst: true as const }),
          strata: strata.snapshot(categoryNames),
          copies: copies.snapshot([]),
          lost: { units: lostUnits, chances: lostChances },
        },
        ...units.take(),
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
