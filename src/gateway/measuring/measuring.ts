import { type Clock, timestamp } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { Counts, MeasuredService } from './counts.ts';
import type { WorkerCounts } from './meters.ts';
import { rateWindow } from './rates.ts';
import type { GatewayCounts } from './report.ts';
import { createTotals } from './totals.ts';
import { createWindows } from './windows.ts';

/** What the whole gateway has counted, over all its workers. */
export interface Measuring {
  /** A table is in force. */
  follow(services: readonly MeasuredService[]): void;
  /** A worker is gone for good; what it told last stays counted. */
  workerEnded(worker: string): void;
  /** Asks all workers first. */
  report(): Promise<GatewayCounts>;
  /** Asks the workers every two seconds, so that there are recent rates and little is lost with a worker; until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export interface MeasuringDependencies {
  readonly clock: Clock;
  readonly random: Random;
  /** A fresh snapshot of every worker that answers, by a name that no later worker has again. */
  readonly collect: () => Promise<readonly (readonly [worker: string, told: WorkerCounts])[]>;
}

const periodMs = 2_000;

export function createMeasuring({ clock, random, collect }: MeasuringDependencies): Measuring {
  const totals = createTotals(() => clock.monotonic());
  const short = createWindows(10_000);
  const long = createWindows(60_000);
  const epoch = Buffer.from(random.bytes(8)).toString('hex');
  const startedAt = timestamp(clock.now());
  const goneWorkers = new Set<string>();

  let refreshed: Promise<unknown> = Promise.resolve();

  const refreshOnce = async (): Promise<Counts> => {
    for (const [worker, told] of await collect()) if (!goneWorkers.has(worker)) totals.update(worker, told);
    const total = totals.total();
    short.observe(total, clock.monotonic());
    long.observe(total, clock.monotonic());
    return total;
  };

  /** One after the other: an older snapshot must not be taken for a newer one. */
  const refresh = (): Promise<Counts> => {
    const result = refreshed.then(refreshOnce);
    refreshed = result.catch(() => undefined);
    return result;
  };

  return {
    follow: (services) => totals.follow(services),
    workerEnded: (worker) => {
      goneWorkers.add(worker);
      totals.ended(worker);
    },
    report: async () => {
      const total = await refresh();
      const now = clock.monotonic();
      return {
        ...total,
        epoch,
        startedAt,
        last10s: rateWindow(short.since(total, now)),
        last60s: rateWindow(long.since(total, now)),
      };
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await refresh();
        await clock.sleep(periodMs, signal);
      }
    },
  };
}
