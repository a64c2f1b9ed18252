import type { ReleaseCounts } from './counts.ts';
import { endings, statusClasses } from './endings.ts';
import { type EvidenceArm, isError } from './evidence.ts';
import type { Finished, Meter } from './meter.ts';
import { createSketch, emptySketch, record, type Sketch, snapshotOf } from './sketch.ts';

/** The meter of one release with what its owner asks of it. */
export interface ReleaseMeter extends Meter {
  readonly environment: string;
  readonly service: string;
  readonly release: string;
  /** What is counted for a rollout, from now on. */
  countFor(arms: readonly EvidenceArm[]): void;
  inFlight(): number;
  snapshot(): ReleaseCounts;
}

const statusAt = 0;
const endingAt = statusAt + statusClasses.length;
const retries = endingAt + endings.length;
const ejections = retries + 1;
const bytesIn = ejections + 1;
const bytesOut = bytesIn + 1;
const queued = bytesOut + 1;
const queuedMs = queued + 1;
const errors = queuedMs + 1;
const begun = errors + 1;
const ended = begun + 1;
const counterCount = ended + 1;

const endingIndex = Object.fromEntries(endings.map((ending, index) => [ending, endingAt + index])) as Record<Finished['ending'], number>;

export function createReleaseMeter(owner: { environment: string; service: string; release: string }): ReleaseMeter {
  const counters = new Float64Array(counterCount);
  // Of many releases most are idle: a sketch is 16 KB.
  let firstByte: Sketch | undefined;
  let total: Sketch | undefined;
  let arms: readonly EvidenceArm[] = [];

  const add = (counter: number, amount: number): void => {
    counters[counter] = (counters[counter] as number) + amount;
  };
  const at = (counter: number): number => counters[counter] as number;
  const inFlight = (): number => at(begun) - at(ended);

  return {
    ...owner,
    begin: (request) => {
      add(begun, 1);
      if (request !== undefined) for (const arm of arms) arm.begun(request);
    },
    end: (finished, request) => {
      const { ending, status } = finished;
      add(statusAt + (status >= 100 && status < 600 ? Math.floor(status / 100) : 0), 1);
      add(endingIndex[ending], 1);
      add(ended, 1);
      if (isError(finished)) add(errors, 1);
      if (finished.retries > 0) add(retries, finished.retries);
      add(bytesIn, finished.bytesIn);
      add(bytesOut, finished.bytesOut);
      if (finished.queuedMs > 0) {
        add(queued, 1);
        add(queuedMs, Math.round(finished.queuedMs));
      }
      if (ending === 'answered' || ending === 'failed' || ending === 'aborted') {
        record((total ??= createSketch()), finished.totalMs);
        if (ending !== 'failed') record((firstByte ??= createSketch()), finished.firstByteMs);
      }
      for (const arm of arms) arm.count(finished, request);
    },
    ejected: () => add(ejections, 1),
    copied: (pair) => {
      for (const arm of arms) arm.copied(pair);
    },
    countFor: (next) => {
      arms = next;
    },
    inFlight,
    snapshot: () => {
      const statuses = statusClasses.map((name, index) => [name, at(statusAt + index)] as const);
      return {
        ...owner,
        inFlight: inFlight(),
        requests: statuses.reduce((sum, [, count]) => sum + count, 0),
        errors: at(errors),
        statuses: Object.fromEntries(statuses) as ReleaseCounts['statuses'],
        endings: Object.fromEntries(endings.map((name, index) => [name, at(endingAt + index)])) as ReleaseCounts['endings'],
        retries: at(retries),
        ejections: at(ejections),
        bytesIn: at(bytesIn),
        bytesOut: at(bytesOut),
        queued: at(queued),
        queuedMs: at(queuedMs),
        firstByte: firstByte === undefined ? emptySketch : snapshotOf(firstByte),
        total: total === undefined ? emptySketch : snapshotOf(total),
      };
    },
  };
}
