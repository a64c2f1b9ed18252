import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { Counts, EvidenceCounts, MeasuredService } from './counts.ts';
import type { EvidenceLedger } from './evidence-ledger.ts';
import { type CountedLife, type HandedOn, newLife } from './handed-counts.ts';
import type { WorkerCounts } from './meters.ts';
import { rateWindow } from './rates.ts';
import type { GatewayCounts } from './report.ts';
import { createTotals } from './totals.ts';
import { createWindows } from './windows.ts';

/** What the whole gateway has counted, over all its workers. */
export interface Measuring {
  /** A table is in force. */
  follow(services: readonly MeasuredService[]): void;
  /** All that has been counted, asking all workers first, for the process that takes over. */
  handOn(): Promise<HandedOn>;
  /** The process that takes over remembers units from now on. */
  passUnitsOn(): void;
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
  /** Where evidence is kept for the process after this one. Absent: it ends with this process. */
  readonly ledger?: EvidenceLedger;
  /** Resolves with what the process before has left once that tells no more by itself than it is asked for; nothing is counted before. */
  readonly before?: Promise<EvidenceBefore>;
  /** A fresh snapshot of every worker that answers, by a name that no later worker has again. */
  readonly collect: () => Promise<readonly (readonly [worker: string, told: WorkerCounts])[]>;
  /** What was collected is in the ledger. Resolves with those of whom nothing more comes. */
  readonly collected?: () => Promise<readonly string[]>;
}

/** What there is of evidence when a process begins. */
export type EvidenceBefore =
  /** It was left by one that was killed, or ended: all of it is in the ledger. */
  | { readonly from: 'ledger'; readonly isTelling: (worker: string) => boolean }
  /** One that hands over tells its counts by itself; what it remembers of units is in the ledger. */
  | { readonly from: 'predecessor' }
  /** One that hands over tells counts, and has no memory of units to hand on. */
  | { readonly from: 'forgetful'; readonly evidence: readonly EvidenceCounts[] };

const periodMs = 2_000;

export function createMeasuring({
  clock,
  random,
  life = newLife(random, clock),
  ledger,
  before,
  collect,
  collected,
}: MeasuringDependencies): Measuring {
  let evidenceEpoch = life.epoch;
  const totals = createTotals(
    () => clock.monotonic(),
    ledger,
    () => evidenceEpoch,
  );
  const short = createWindows(10_000);
  const long = createWindows(60_000);
  const restore = async (): Promise<void> => {
    const how = await before;
    if (how === undefined) return;
    if (how.from === 'forgetful') {
      // What is in the ledger is older than what it has counted.
      totals.doubt(how.evidence);
      return;
    }
    const left = ledger?.read();
    if (left === undefined) return;
    evidenceEpoch = left.epoch;
    totals.restore(left, how.from === 'ledger' ? { withTold: true, isTelling: how.isTelling } : { withTold: false, isTelling: () => true });
  };
  let refreshed: Promise<unknown> = restore().catch(() => undefined);

  let isPassing = false;
  const refreshOnce = async (): Promise<Counts> => {
    for (const [worker, told] of await collect()) totals.update(worker, told);
    const total = totals.total();
    for (const worker of (await collected?.()) ?? []) totals.ended(worker);
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
    handOn: () =>
      inTurn(async () => {
        await refreshOnce();
        const { counts, units } = totals.passed();
        return isPassing ? { counts, units } : { counts: totals.total() };
      }),
    passUnitsOn: () => {
      isPassing = true;
      totals.passUnitsOn();
    },
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
        evidenceEpoch,
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
