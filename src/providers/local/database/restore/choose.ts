import { type Segment, segmentAt, segmentBefore, segmentName } from '../archive/wal-names.ts';
import type { Manifest } from '../backup/manifest.ts';
import { leadsFrom, livedAt, type LivedTimeline, stretchesOf } from './timelines.ts';

/** What a recovery is made from. */
export interface RecoverySource {
  readonly manifests: readonly Manifest[];
  readonly timelines: readonly LivedTimeline[];
  readonly segments: readonly Segment[];
}

/** A base backup to begin with, and the log from there on. */
export interface Candidate {
  readonly manifest: Manifest;
  readonly log: FollowedLog;
}

export type Chosen =
  /** The best candidate first; the others are for when its backup is damaged. */
  | { readonly outcome: 'possible'; readonly lived: LivedTimeline; readonly candidates: readonly [Candidate, ...Candidate[]] }
  | { readonly outcome: 'no backup' }
  | { readonly outcome: 'too early'; readonly earliest: string };

/** How a recovery to `time` (milliseconds since the epoch) would go. */
export function chooseRecovery({ manifests, timelines, segments }: RecoverySource, time: number): Chosen {
  if (manifests.length === 0) return { outcome: 'no backup' };
  const { lived } = livedAt(timelines, time);
  const [best, ...others] = manifests
    .filter(({ timeline, stopPosition, stoppedAt }) => Date.parse(stoppedAt) <= time && leadsFrom(lived, timeline, stopPosition))
    .map((manifest): Candidate => ({ manifest, log: follow(manifest, lived, segments) }))
    .toReversed();
  if (!best) return { outcome: 'too early', earliest: manifests[0]?.stoppedAt ?? '' };
  return { outcome: 'possible', lived, candidates: [best, ...others] };
}

export interface FollowedLog {
  /** Segments that are there, one after another. */
  readonly count: number;
  /** The first that is not there though later ones are; it may lie beyond the time that is wanted. */
  readonly missing?: string;
  readonly lastBefore?: string;
}

/** Follows the log from a base backup along a timeline to its end, or to the first segment that is missing. */
export function follow(
  { startPosition, stopPosition }: Pick<Manifest, 'startPosition' | 'stopPosition'>,
  lived: LivedTimeline,
  segments: readonly Segment[],
): FollowedLog {
  const there = new Set(segments.map(segmentName));
  const stretches = stretchesOf(lived);
  const reached = segments.filter((segment) => stretches.some((stretch) => within(stretch, segment))).map(({ number }) => number);
  const end = reached.reduce((last, number) => Math.max(last, number), segmentBefore(stopPosition));
  let lastBefore: string | undefined;
  const start = segmentAt(startPosition);
  for (let number = start; number <= end; number += 1) {
    const readers = stretches.filter(({ first, last }) => number >= first && number <= last);
    const found = readers.map(({ timeline }) => segmentName({ timeline, number })).find((name) => there.has(name));
    if (found === undefined) {
      const missing = segmentName({ timeline: readers[0]?.timeline ?? lived.timeline, number });
      return { count: number - start, missing, ...(lastBefore !== undefined && { lastBefore }) };
    }
    lastBefore = found;
  }
  return { count: end - start + 1 };
}

function within(stretch: { timeline: number; first: number; last: number }, { timeline, number }: Segment): boolean {
  return stretch.timeline === timeline && number >= stretch.first && number <= stretch.last;
}
