import { type Segment, segmentAt, segmentBefore, segmentName } from '../archive/wal-names.ts';
import type { Manifest } from '../backup/manifest.ts';
import { leadsFrom, livedAt, type LivedTimeline, stretchesOf } from './timelines.ts';

/** What a recovery is made from. */
export interface RecoverySource {
  readonly manifests: readonly Manifest[];
  readonly timelines: readonly LivedTimeline[];
  readonly segments: readonly Segment[];
}

export type Chosen =
  | {
      readonly outcome: 'possible';
      readonly lived: LivedTimeline;
      /** Base backups to begin with, the best first; the others are for when it is damaged. */
      readonly candidates: readonly Manifest[];
      /** Segments to be replayed from the best on, as far as there are any. */
      readonly segments: number;
      /** The first that is not there though later ones are; it may lie beyond the time. */
      readonly missing?: string;
      readonly lastBeforeMissing?: string;
    }
  | { readonly outcome: 'no backup' }
  | { readonly outcome: 'too early'; readonly earliest: string };

/** How a recovery to `time` (milliseconds since the epoch) would go. */
export function chooseRecovery({ manifests, timelines, segments }: RecoverySource, time: number): Chosen {
  if (manifests.length === 0) return { outcome: 'no backup' };
  const { lived } = livedAt(timelines, time);
  const candidates = manifests
    .filter(({ timeline, stopPosition, stoppedAt }) => Date.parse(stoppedAt) <= time && leadsFrom(lived, timeline, stopPosition))
    .toReversed();
  const [best] = candidates;
  if (!best) return { outcome: 'too early', earliest: manifests[0]?.stoppedAt ?? '' };
  const { count, missing, lastBefore } = follow(best, lived, segments);
  return {
    outcome: 'possible',
    lived,
    candidates,
    segments: count,
    ...(missing !== undefined && { missing }),
    ...(lastBefore !== undefined && { lastBeforeMissing: lastBefore }),
  };
}

/** Follows the log from a base backup along a timeline to its end, or to the first segment that is missing. */
export function follow(
  { startPosition, stopPosition }: Pick<Manifest, 'startPosition' | 'stopPosition'>,
  lived: LivedTimeline,
  segments: readonly Segment[],
): { readonly count: number; readonly missing?: string; readonly lastBefore?: string } {
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
