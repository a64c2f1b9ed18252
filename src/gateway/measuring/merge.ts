import {
  type Counts,
  type EvidenceCounts,
  evidenceKey,
  type QueueState,
  type ReleaseCounts,
  releaseKey,
  type Stratum,
  stratumKey,
} from './counts.ts';
import { mergeSketches, sketchSince } from './sketch.ts';

/** The counts of two workers as one: associative and commutative but for the order of lists. */
export function merge(left: Counts, right: Counts): Counts {
  return {
    releases: mergeBy([...left.releases, ...right.releases], releaseKey, addReleases),
    queues: mergeBy([...left.queues, ...right.queues], (queue) => `${queue.environment}\n${queue.service}`, addQueues),
    evidence: mergeBy([...left.evidence, ...right.evidence], evidenceKey, addEvidence),
  };
}

/** What was counted of a release between two snapshots; `inFlight` is the later one's. */
export function releaseSince(later: ReleaseCounts, earlier: ReleaseCounts | undefined): ReleaseCounts {
  if (earlier === undefined) return later;
  const difference = combineReleases(later, earlier, (one, two) => one - two);
  return {
    ...difference,
    inFlight: later.inFlight,
    firstByte: sketchSince(later.firstByte, earlier.firstByte),
    total: sketchSince(later.total, earlier.total),
  };
}

function addReleases(left: ReleaseCounts, right: ReleaseCounts): ReleaseCounts {
  return {
    ...combineReleases(left, right, add),
    firstByte: mergeSketches(left.firstByte, right.firstByte),
    total: mergeSketches(left.total, right.total),
  };
}

type Combine = (one: number, two: number) => number;
const add: Combine = (one, two) => one + two;

function combineReleases(left: ReleaseCounts, right: ReleaseCounts, combine: Combine): ReleaseCounts {
  return {
    ...left,
    inFlight: combine(left.inFlight, right.inFlight),
    requests: combine(left.requests, right.requests),
    errors: combine(left.errors, right.errors),
    statuses: combineRecords(left.statuses, right.statuses, combine),
    endings: combineRecords(left.endings, right.endings, combine),
    retries: combine(left.retries, right.retries),
    ejections: combine(left.ejections, right.ejections),
    bytesIn: combine(left.bytesIn, right.bytesIn),
    bytesOut: combine(left.bytesOut, right.bytesOut),
    queued: combine(left.queued, right.queued),
    queuedMs: combine(left.queuedMs, right.queuedMs),
  };
}

function addQueues(left: QueueState, right: QueueState): QueueState {
  return { ...left, running: left.running + right.running, queued: left.queued + right.queued };
}

/** Of the same identity (`evidenceKey`). */
function addEvidence(left: EvidenceCounts, right: EvidenceCounts): EvidenceCounts {
  return {
    ...left,
    strata: mergeBy([...left.strata, ...right.strata], stratumKey, addStrata),
    copies: mergeBy([...(left.copies ?? []), ...(right.copies ?? [])], stratumKey, addStrata),
    lost: combineRecords(left.lost, right.lost, add),
  };
}

function addStrata(left: Stratum, right: Stratum): Stratum {
  return {
    ...left,
    units: left.units + right.units,
    errors: left.errors + right.errors,
    exceedances: left.exceedances.map((count, index) => count + (right.exceedances[index] ?? 0)),
    categories: combineRecords(left.categories, right.categories, add),
    ...(left.counted && { counted: left.counted.map((count, index) => count + (right.counted?.[index] ?? 0)) }),
    ...((left.later ?? right.later) && { later: addLater(left.later, right.later) }),
  };
}

function addLater(left: Stratum['later'], right: Stratum['later']): Stratum['later'] {
  if (left === undefined || right === undefined) return left ?? right;
  const exceedances = left.exceedances.map((count, index) => count + (right.exceedances[index] ?? 0));
  return { errors: left.errors + right.errors, exceedances };
}

function combineRecords<Key extends string>(left: Record<Key, number>, right: Record<Key, number>, combine: Combine): Record<Key, number> {
  const combined = new Map(Object.entries<number>(left));
  for (const [key, count] of Object.entries<number>(right)) combined.set(key, combine(combined.get(key) ?? 0, count));
  return Object.fromEntries(combined) as Record<Key, number>;
}

function mergeBy<Item>(items: readonly Item[], keyOf: (item: Item) => string, merged: (left: Item, right: Item) => Item): Item[] {
  const byKey = new Map<string, Item>();
  for (const item of items) {
    const key = keyOf(item);
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? item : merged(known, item));
  }
  return [...byKey.values()];
}
