import {
  countedRoutes,
  type Counts,
  type EvidenceCounts,
  evidenceKey,
  type MeasuredService,
  noCounts,
  type ReleaseCounts,
  releaseKey,
} from './counts.ts';
import type { EvidenceLedger, LeftEvidence } from './evidence-ledger.ts';
import type { EvidenceSnapshot } from './evidence.ts';
import { merge } from './merge.ts';
import type { WorkerCounts } from './meters.ts';
import { createRetention } from './retention.ts';
import { createUnitCounts, type UnitCounts } from './unit-counts.ts';

/**
 * The counts of all workers there are and were. What a worker had told before it died stays counted, so no counter goes back; what it had
 * not told yet is lost.
 */
export interface Totals {
  /** What a worker has counted since it began. */
  update(worker: string, told: WorkerCounts): void;
  /** It is gone for good. */
  ended(worker: string): void;
  /** A table is in force: releases gone for long and evidence no longer asked for are forgotten. */
  follow(services: readonly MeasuredService[]): void;
  /** What is told here is in the ledger before. */
  total(): Counts;
  /**
   * Goes on with what a process before has left; before anything else is told. `isTelling`: what it knew of a worker may still be replaced. Without
   * `withTold` that process tells by itself, as another worker, all but units.
   */
  restore(left: LeftEvidence, how: { readonly withTold: boolean; readonly isTelling: (worker: string) => boolean }): void;
  /** What these count of units was counted by a process that has handed on no memory of them. */
  doubt(evidence: readonly EvidenceCounts[]): void;
  /** Another process remembers the units from now on, and counts what is `passed`. */
  passUnitsOn(): void;
  /** All that has been counted, and outcomes of units apart from it: those that have come since `passUnitsOn`. */
  passed(): { readonly counts: Counts; readonly units: readonly EvidenceSnapshot[] };
}

const retainMs = 10 * 60_000;
/** Outcomes of units that are told to the process that takes over; it has all but the last ones already. */
const mostPassed = 65_536 * 5;

interface Told extends Counts {
  readonly batch: number;
}

/** `now` is monotonic milliseconds. `epoch`: of the evidence. */
export function createTotals(now: () => number, ledger?: EvidenceLedger, epoch: () => string = () => ''): Totals {
  const living = new Map<string, Told>();
  const units = new Map<string, { readonly of: EvidenceCounts; readonly counts: UnitCounts }>();
  const retention = createRetention(retainMs);
  const doubtful = new Set<string>();
  let gone: Counts = noCounts;
  let wanted: ReadonlySet<string> | undefined;
  let passing: EvidenceSnapshot[] | undefined;
  let passedNumbers = 0;

  const isWanted = (evidence: EvidenceCounts): boolean => wanted === undefined || wanted.has(evidenceKey(evidence));

  const kept = (all: Counts): Counts => {
    const time = now();
    return {
      releases: all.releases.filter((each) => retention.isKept(releaseKey(each), time)),
      queues: all.queues,
      evidence: all.evidence.filter(isWanted),
    };
  };

  const hear = (told: EvidenceSnapshot): void => {
    if (told.outcomes.length === 0 || !isWanted(told.counts)) return;
    if (passing !== undefined) {
      passedNumbers += told.outcomes.length;
      if (passedNumbers <= mostPassed) passing.push({ ...told, counts: identityOf(told.counts) });
      return;
    }
    const key = evidenceKey(told.counts);
    const known = units.get(key) ?? begin(key, told.counts);
    const news = known.counts.add(told);
    if (news.outcomes.length > 0 || news.draws.length > 0 || news.categoryNames.length > 0) ledger?.heard(known.of, news);
  };

  const begin = (key: string, counts: EvidenceCounts): { readonly of: EvidenceCounts; readonly counts: UnitCounts } => {
    const begun = { of: identityOf(counts), counts: createUnitCounts(counts) };
    if (doubtful.has(key) || ledger?.hasForgotten(counts) === true) begun.counts.forget();
    units.set(key, begun);
    return begun;
  };

  const endOf = (worker: string): void => {
    const last = living.get(worker);
    living.delete(worker);
    if (last === undefined) return;
    gone = kept(merge(gone, { ...last, releases: last.releases.map(ended), queues: [] }));
  };

  const recorded = (): Counts => [...living.values()].reduce<Counts>(merge, gone);

  const write = (): void => {
    if (passing !== undefined) return;
    ledger?.write({
      epoch: epoch(),
      told: Array.from(living, ([worker, { batch, evidence }]) => ({ worker, batch, evidence: evidence.filter(isWanted) })),
      gone: gone.evidence,
      units: Array.from(units.values(), ({ of, counts }) => ({ of: identityOf(of, counts.counts().lost), heard: counts.heard() })),
    });
  };

  return {
    update: (worker, { evidence, batch = 0, again = [], ...told }) => {
      const known = living.get(worker)?.batch ?? 0;
      for (const each of again) if (each.batch > known) hear(each.of);
      evidence.forEach(hear);
      living.set(worker, { ...told, batch, evidence: evidence.map((each) => each.counts) });
    },
    ended: endOf,
    follow: (services) => {
      retention.follow(services, now());
      wanted = new Set(services.flatMap((service) => countedRoutes(service).map(([key]) => key)));
      for (const key of units.keys()) if (!wanted.has(key)) units.delete(key);
      gone = kept(gone);
    },
    total: () => {
      write();
      const ofUnits: Counts = { ...noCounts, evidence: Array.from(units.values(), ({ counts }) => counts.counts()) };
      return kept(merge(recorded(), ofUnits));
    },
    restore: (left, { withTold, isTelling }) => {
      for (const { of, news, isWhole } of left.units) {
        if (!isWanted(of)) continue;
        const counts = createUnitCounts(of, of.lost);
        for (const each of news) counts.replay(each);
        if (!isWhole) counts.forget();
        units.set(evidenceKey(of), { of, counts });
      }
      if (!withTold) return;
      gone = kept({ ...noCounts, evidence: left.gone });
      for (const { worker, batch, evidence } of left.told) {
        living.set(worker, { ...noCounts, batch, evidence });
        if (!isTelling(worker)) endOf(worker);
      }
    },
    doubt: (evidence) => {
      for (const each of evidence) if (each.strata.some((stratum) => stratum.units > 0)) doubtful.add(evidenceKey(each));
    },
    passUnitsOn: () => {
      write();
      passing ??= [];
    },
    passed: () => ({ counts: kept(recorded()), units: passing ?? [] }),
  };
}

/** Without what was counted. */
function identityOf(of: EvidenceCounts, lost = of.lost): EvidenceCounts {
  return { ...of, strata: [], copies: [], lost };
}

/** What was in flight has ended with its worker. */
function ended(release: ReleaseCounts): ReleaseCounts {
  return { ...release, inFlight: 0 };
}
