import { type Segment, segmentAt } from '../archive/wal-names.ts';
import { leadsFrom, type LivedTimeline, stretchesOf } from '../restore/timelines.ts';
import type { Manifest } from './manifest.ts';

export interface Retention {
  readonly manifests: readonly Manifest[];
  readonly timelines: readonly LivedTimeline[];
  /** Every time from here to now has to stay restorable; milliseconds since the epoch. */
  readonly from: number;
}

export interface Kept {
  readonly backups: ReadonlySet<string>;
  needs(segment: Segment): boolean;
}

/**
 * What is still needed for any time of the window: base backups that ended in it; for each timeline the database lived on in it, the last
 * backup before its part of the window; and the segments that lead from the earliest of these onward. The newest backup that the present
 * timeline can begin with always stays. Without a backup nothing of the log is given up.
 */
export function keepWithin({ manifests, timelines, from }: Retention): Kept {
  const backups = new Set<string>();
  const relevant = timelines.flatMap((lived, index) => {
    const until = timelines[index + 1]?.since;
    return until === undefined || Date.parse(until) >= from ? [{ lived, since: Math.max(from, Date.parse(lived.since)) }] : [];
  });
  const needed = new Map<number, { first: number; last: number }[]>();
  for (const { lived, since } of relevant) {
    const usable = manifests.filter(({ timeline, stopPosition }) => leadsFrom(lived, timeline, stopPosition));
    const before = usable.findLast(({ stoppedAt }) => Date.parse(stoppedAt) <= since);
    const chosen = usable.filter((manifest) => manifest === before || Date.parse(manifest.stoppedAt) >= from);
    for (const { id } of chosen) backups.add(id);
    const start = chosen.reduce((first, { startPosition }) => Math.min(first, segmentAt(startPosition)), Number.POSITIVE_INFINITY);
    for (const { timeline, first, last } of stretchesOf(lived)) {
      needed.set(timeline, [...(needed.get(timeline) ?? []), { first: Math.max(start, first), last }]);
    }
  }
  const newest = manifests.at(-1);
  if (backups.size === 0 && newest) backups.add(newest.id);
  const present = timelines.at(-1);
  const hasBackup = present !== undefined && manifests.some(({ timeline, stopPosition }) => leadsFrom(present, timeline, stopPosition));
  return {
    backups,
    needs: ({ timeline, number }) =>
      (!hasBackup && timeline === present?.timeline) ||
      (needed.get(timeline) ?? []).some(({ first, last }) => number >= first && number <= last),
  };
}
