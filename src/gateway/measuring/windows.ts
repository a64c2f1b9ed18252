import type { Counts, ReleaseCounts } from './counts.ts';
import { releaseKey } from './counts.ts';
import { releaseSince } from './merge.ts';

/** The difference between the counts of now and those of some seconds ago. */
export interface Windows {
  /** Kept when the last one kept is old enough. */
  observe(counts: Counts, now: number): void;
  /** What came since the youngest kept counts that are at least the window's length old, or since the oldest. */
  since(counts: Counts, now: number): { readonly seconds: number; readonly releases: readonly ReleaseCounts[] };
}

const steps = 5;

/** A window that slides in steps of a fifth of its length. `now` is monotonic milliseconds. */
export function createWindows(lengthMs: number): Windows {
  const kept: { at: number; counts: ReadonlyMap<string, ReleaseCounts> }[] = [];
  return {
    observe: (counts, now) => {
      const last = kept.at(-1);
      if (last !== undefined && now - last.at < lengthMs / steps) return;
      kept.push({ at: now, counts: new Map(counts.releases.map((each) => [releaseKey(each), each])) });
      while (kept.length > 1 && now - (kept[1]?.at ?? now) >= lengthMs) kept.shift();
    },
    since: (counts, now) => {
      const base = kept.findLast(({ at }) => now - at >= lengthMs) ?? kept[0];
      if (base === undefined) return { seconds: 0, releases: [] };
      return {
        seconds: (now - base.at) / 1_000,
        releases: counts.releases.map((each) => releaseSince(each, base.counts.get(releaseKey(each)))),
      };
    },
  };
}
