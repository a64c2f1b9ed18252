import type { Clock } from '../../effects/clock.ts';
import { type Counts, countedRoutes, type MeasuredService, type QueueState, releaseKey } from './counts.ts';
import { createEvidence, type Evidence, type EvidenceSnapshot } from './evidence.ts';
import type { Meter } from './meter.ts';
import { createReleaseMeter, type ReleaseMeter } from './release-meter.ts';
import { createRetention } from './retention.ts';
import { emptySketch } from './sketch.ts';
import { countedAfterMs, unansweredAfterMs } from './waiting-outcomes.ts';

/** What one worker has counted, as a plain value. */
export interface WorkerCounts extends Omit<Counts, 'evidence'> {
  readonly evidence: readonly EvidenceSnapshot[];
  /** How often outcomes of units have been taken of this worker, this time included. */
  readonly batch?: number;
  /** Outcomes of batches which may have arrived before: those not later than the last one that is known of this worker. */
  readonly again?: readonly { readonly batch: number; readonly of: EvidenceSnapshot }[];
}

/** The meters of one worker. */
export interface Meters {
  /** The same meter for as long as the release is in the table, and for a while after. */
  readonly meterOf: (environment: string, service: string, release: string) => Meter;
  /** A table is in force: what it says of evidence counts from now on, and meters of releases gone for long are forgotten. */
  follow(services: readonly MeasuredService[]): void;
  /**
   * Every snapshot must be given to the `Totals` exactly once: outcomes of units are in one only. `isLast`: everything has ended, and nothing is
   * waited for.
   */
  snapshot(isLast?: boolean): WorkerCounts;
}

export interface MetersDependencies {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** What waits at the doors of the services, from their limiters. */
  readonly queues?: () => readonly QueueState[];
}

/** Longer than `Totals` shows a release that is gone, so that no sum over workers ever goes back. */
const retainMs = 15 * 60_000;

export function createMeters({ clock, queues = () => [] }: MetersDependencies): Meters {
  const meters = new Map<string, ReleaseMeter>();
  const retention = createRetention(retainMs);
  let evidence = new Map<string, Evidence>();
  /** Of the service that each evidence is of, the last one being stable. */
  const releasesOf = new Map<string, readonly string[]>();

  const meterOf = (environment: string, service: string, release: string): ReleaseMeter => {
    const key = releaseKey({ environment, service, release });
    const known = meters.get(key) ?? createReleaseMeter({ environment, service, release });
    meters.set(key, known);
    return known;
  };

  const evidenceOf = (service: MeasuredService): (readonly [string, Evidence])[] => {
    const owner = { environment: service.environment, service: service.name };
    return countedRoutes(service).map(([key, route]) => {
      const known = evidence.get(key);
      known?.follow(route);
      return [key, known ?? createEvidence(owner, route, () => clock.monotonic())];
    });
  };

  return {
    meterOf,
    follow: (services) => {
      const kept = new Map<string, Evidence>();
      for (const meter of meters.values()) meter.countFor([]);
      for (const service of services) {
        const found = evidenceOf(service);
        const names = service.backends.map(({ release }) => releaseKey({ ...service, service: service.name, release }));
        for (const [key, each] of found) {
          kept.set(key, each);
          releasesOf.set(key, names);
        }
        for (const { release } of service.backends) {
          meterOf(service.environment, service.name, release).countFor(found.map(([, each]) => each.arm(release)));
        }
      }
      evidence = kept;
      for (const key of releasesOf.keys()) if (!kept.has(key)) releasesOf.delete(key);
      const now = clock.monotonic();
      retention.follow(services, now);
      for (const [key, meter] of meters) if (!retention.isKept(key, now) && meter.inFlight() <= 0) meters.delete(key);
    },
    snapshot: (isLast = false) => {
      const counted = new Map(Array.from(meters, ([key, meter]) => [key, meter.snapshot()]));
      const now = clock.monotonic();
      const timesOf = (key: string): { readonly dueAt: number; readonly unansweredAt: number } => {
        const latencies = (releasesOf.get(key) ?? []).map((release) => counted.get(release)?.total ?? emptySketch);
        const stable = latencies.at(-1) ?? emptySketch;
        return { dueAt: now - countedAfterMs(stable, latencies), unansweredAt: now - unansweredAfterMs(stable) };
      };
      return {
        releases: [...counted.values()],
        queues: [...queues()],
        evidence: Array.from(evidence, ([key, each]) => each.take(isLast ? undefined : timesOf(key))),
      };
    },
  };
}
