import { noCounts, type ReleaseCounts, releaseKey } from '../measuring/counts.ts';
import { endings, statusClasses } from '../measuring/endings.ts';
import type { WorkerCounts } from '../measuring/meters.ts';
import { createRetention } from '../measuring/retention.ts';
import type { Finished } from '../measuring/meter.ts';
import { createSketch, emptySketch, record, type Sketch, snapshotOf } from '../measuring/sketch.ts';
import type { RoutingTable } from '../routing-table.ts';
import type { InstanceStats, ServerStats } from './process/server-stats.ts';

/**
 * What HAProxy answered by itself, by release, from the counters of its servers: they begin at zero with every process, and are gone with a
 * server, so what they have grown by is added up. Latencies are of the
 * requests that HAProxy tells of, each for as many as it stands for.
 */
export interface FrontCounts {
  /** The counters of one process now. */
  observe(process: string, rows: readonly InstanceStats[]): void;
  /** What HAProxy told of one request, which stands for `weight` of them. */
  record(of: InstanceStats['of'], finished: Finished, weight: number): void;
  /** A table is in force: releases gone for long are forgotten. */
  follow(table: RoutingTable): void;
  counts(): WorkerCounts;
}

const retainMs = 10 * 60_000;
const counters = ['requests', 'bytesIn', 'bytesOut', 'retries', 'failedConnections', 'failedAnswers', '1', '2', '3', '4', '5'] as const;
type Counter = (typeof counters)[number];
type Tally = Record<Counter, number>;

interface Counted {
  readonly of: InstanceStats['of'];
  readonly tally: Tally;
  /** By process. */
  readonly inFlight: Map<string, number>;
  firstByte?: Sketch;
  total?: Sketch;
}

/** `now` is monotonic milliseconds. */
export function createFrontCounts(now: () => number): FrontCounts {
  const retention = createRetention(retainMs);
  const releases = new Map<string, Counted>();
  /** By process and server. */
  let last = new Map<string, Tally>();

  const countedOf = (of: InstanceStats['of']): Counted => {
    const key = releaseKey(of);
    const known = releases.get(key) ?? { of, tally: tallyOf(undefined), inFlight: new Map() };
    releases.set(key, known);
    return known;
  };

  return {
    observe: (process, rows) => {
      const seen = new Map([...last].filter(([key]) => !key.startsWith(`${process} `)));
      for (const release of releases.values()) release.inFlight.delete(process);
      for (const row of rows) {
        const key = `${process} ${row.path}`;
        const tally = tallyOf(row);
        const before = last.get(key);
        // Another server of the same name begins at zero.
        const base = before !== undefined && counters.every((each) => tally[each] >= before[each]) ? before : undefined;
        seen.set(key, tally);
        const release = countedOf(row.of);
        for (const each of counters) release.tally[each] += tally[each] - (base?.[each] ?? 0);
        release.inFlight.set(process, (release.inFlight.get(process) ?? 0) + row.inFlight);
      }
      last = seen;
    },
    record: (of, { ending, firstByteMs, totalMs }, weight) => {
      if (ending !== 'answered' && ending !== 'failed' && ending !== 'aborted') return;
      const counted = countedOf(of);
      record((counted.total ??= createSketch()), totalMs, weight);
      if (ending !== 'failed') record((counted.firstByte ??= createSketch()), firstByteMs, weight);
    },
    follow: ({ services }) => {
      const time = now();
      retention.follow(services, time);
      for (const key of releases.keys()) if (!retention.isKept(key, time)) releases.delete(key);
    },
    counts: () => ({ ...noCounts, evidence: [], releases: Array.from(releases.values(), countsOf) }),
  };
}

function tallyOf(row: ServerStats | undefined): Tally {
  const { requests = 0, bytesIn = 0, bytesOut = 0, retries = 0, failedConnections = 0, failedAnswers = 0, byClass } = row ?? {};
  return { requests, bytesIn, bytesOut, retries, failedConnections, failedAnswers, ...(byClass ?? { 1: 0, 2: 0, 3: 0, 4: 0, 5: 0 }) };
}

function countsOf({ of, tally, inFlight, firstByte, total }: Counted): ReleaseCounts {
  const answered = tally['1'] + tally['2'] + tally['3'] + tally['4'] + tally['5'];
  // These HAProxy has answered, by 502 or 504.
  const failed = tally.failedConnections + tally.failedAnswers;
  const running = [...inFlight.values()].reduce((sum, each) => sum + each, 0);
  return {
    ...of,
    inFlight: running,
    requests: answered + failed,
    errors: tally['5'] + failed,
    statuses: {
      ...zeros(statusClasses),
      '1xx': tally['1'],
      '2xx': tally['2'],
      '3xx': tally['3'],
      '4xx': tally['4'],
      '5xx': tally['5'] + failed,
    },
    endings: { ...zeros(endings), answered, failed },
    retries: tally.retries,
    ejections: 0,
    bytesIn: tally.bytesIn,
    bytesOut: tally.bytesOut,
    queued: 0,
    queuedMs: 0,
    firstByte: firstByte === undefined ? emptySketch : snapshotOf(firstByte),
    total: total === undefined ? emptySketch : snapshotOf(total),
  };
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
