import type { Manifest } from '../backup/manifest.ts';
import { follow, type RecoverySource } from './choose.ts';
import { leadsFrom } from './timelines.ts';

/** Times that can be gone back to, in milliseconds since the epoch; without an end when it is the present. */
export interface Range {
  readonly from: number;
  readonly to: number | undefined;
}

/**
 * The stretches of time that can be restored: for each timeline the database lived on, from each usable base backup to the end of its time
 * or to the first gap in the log. `archivedAt` tells when the last segment before a gap was archived.
 */
export async function restorableRanges(
  { manifests, timelines, segments }: RecoverySource,
  archivedAt: (segment: string) => Promise<number | undefined>,
): Promise<readonly Range[]> {
  const ranges: Range[] = [];
  for (const [index, lived] of timelines.entries()) {
    const next = timelines[index + 1];
    const end = next === undefined ? undefined : Date.parse(next.since);
    const usable = manifests.filter(({ timeline, stopPosition }) => leadsFrom(lived, timeline, stopPosition));
    for (const manifest of usable) {
      const from = Math.max(Date.parse(manifest.stoppedAt), Date.parse(lived.since));
      const to = await endOf(manifest);
      if (to === undefined || to > from) ranges.push({ from, to });
    }
    async function endOf(manifest: Manifest): Promise<number | undefined> {
      const { missing, lastBefore } = follow(manifest, lived, segments);
      if (missing === undefined) return end;
      const gap = (lastBefore === undefined ? undefined : await archivedAt(lastBefore)) ?? 0;
      return Math.min(gap, end ?? Number.POSITIVE_INFINITY);
    }
  }
  return merged(ranges);
}

function merged(ranges: readonly Range[]): readonly Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((left, right) => left.from - right.from)) {
    const last = result.at(-1);
    if (!last || (last.to !== undefined && last.to < range.from)) result.push(range);
    else result[result.length - 1] = { from: last.from, to: later(last.to, range.to) };
  }
  return result;
}

function later(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? undefined : Math.max(left, right);
}
