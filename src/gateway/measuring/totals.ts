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
  total(): Counts;
}

const retainMs = 10 * 60_000;

/** `now` is monotonic milliseconds. */
export function createTotals(now: () => number): Totals {
  const living = new Map<string, Counts>();
  const units = new Map<string, UnitCounts>();
  const retention = createRetention(retainMs);
  let gone: Counts = noCounts;
  let wanted: ReadonlySet<string> | undefined;

  const isWanted = (evidence: EvidenceCounts): boolean => wanted === undefined || wanted.has(evidenceKey(evidence));

  const kept = (all: Counts): Counts => {
    const time = now();
    return {
      releases: all.releases.filter((each) => retention.isKept(releaseKey(each), time)),
      queues: all.queues,
      evidence: all.evidence.filter(isWanted),
    };
  };

  return {
    update: (worker, { evidence, ...told }) => {
      for (const each of evidence) {
        if (each.outcomes.length === 0 || !isWanted(each.counts)) continue;
        const key = evidenceKey(each.counts);
        const known = units.get(key) ?? createUnitCounts(each.counts);
        units.set(key, known);
        known.add(each);
      }
      living.set(worker, { ...told, evidence: evidence.map((each) => each.counts) });
    },
    ended: (worker) => {
      const last = living.get(worker);
      living.delete(worker);
      if (last === undefined) return;
      gone = kept(merge(gone, { ...last, releases: last.releases.map(ended), queues: [] }));
    },
    follow: (services) => {
      retention.follow(services, now());
      wanted = new Set(services.flatMap((service) => countedRoutes(service).map(([key]) => key)));
      for (const key of units.keys()) if (!wanted.has(key)) units.delete(key);
      gone = kept(gone);
    },
    total: () => {
      const ofUnits: Counts = { ...noCounts, evidence: Array.from(units.values(), (each) => each.counts()) };
      return kept([...living.values(), ofUnits].reduce(merge, gone));
    },
  };
}

/** What was in flight has ended with its worker. */
function ended(release: ReleaseCounts): ReleaseCounts {
  return { ...release, inFlight: 0 };
}
