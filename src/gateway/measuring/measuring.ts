import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { Counts, MeasuredService } from './counts.ts';
import { type CountedLife, newLife } from './handed-counts.ts';
import type { WorkerCounts } from './meters.ts';
import { rateWindow } from './rates.ts';
import type { GatewayCounts } from './report.ts';
import { createTotals } from './totals.ts';
import { createWindows } from './windows.ts';

/** What the whole gateway has counted, over all its workers. */
export interface Measuring {
  /** A table is in force. */
  follow(services: readonly MeasuredService[]): void;
  /** All that has been counted, asking all workers first. */
  total(): Promise<Counts>;
  /** The last word of a worker, which is not asked any more. */
  workerTold(worker: string, told: WorkerCounts): void;
  /** A worker is gone for good; what it told last stays counted. */
  workerEnded(worker: string): void;
  /** Asks all workers first. */
  report(): Promise<GatewayCounts>;
  /** Asks the workers every two seconds, so that there are recent rates and little is lost with a worker; until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export interface MeasuringDependencies {
  /** The one that goes on here; absent: a new one. */
  readonly life?: CountedLife;
  readonly clock: Clock;
  readonly random: Random;
  /** A fresh snapshot of every worker that answers, by a name that no later worker has again. */
  readonly collect: () => Promise<readonly (readonly [worker: string, told: WorkerCounts])[]>;
}

const periodMs = 2_000;

export function createMeasuring({ clock, random, life = newLife(random, clock), collect }: MeasuringDependencies): Measuring {
  const totals = createTotals(() => clock.monotonic());
  const short = createWindows(10_000);
  const long = createWindows(60_000);
  let refreshed: Promise<unknown> = Promise.resolve();

  const refreshOnce = async (): Promise<Counts> => {
    for (const [worker, told] of await collect()) totals.update(worker, told);
    const total = totals.total();
    short.observe(total, clock.monotonic());
    long.observe(total, clock.monotonic());
    return total;
  };

  /** One after the other: an older snapshot must not be taken for a newer one, nor for that of a worker which is gone. */
  const inTurn = <Value>(act: () => Value | Promise<Value>): Promise<Value> => {
    const result = refreshed.then(act);
    refreshed = result.catch(() => undefined);
    return result;
  };
  const refresh = (): Promise<Counts> => inTurn(refreshOnce);

  return {
    follow: (services) => totals.follow(services),
    total: refresh,
    workerTold: (worker, told) => {
      inTurn(() => totals.update(worker, told)).catch(() => {});
    },
    workerEnded: (worker) => {
      inTurn(() => totals.ended(worker)).catch(() => {});
    },
    report: async () => {
      const total = await refresh();
      const now = clock.monotonic();
      return {
        ...total,
        ...life,
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
