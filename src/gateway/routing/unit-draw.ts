import type { PointRange } from './split-ranges.ts';

/** Points `from <= point < to` whose units go to one release. */
export interface Region {
  readonly release: string;
  readonly from: number;
  readonly to: number;
}

/** How units are divided by a table: of whose point is where, who has which release. */
export interface UnitDraw {
  /** Equal for equal divisions. */
  readonly key: string;
  readonly regions: readonly Region[];
  /** Releases among which chances are; absent: all. */
  readonly compared?: readonly string[];
  /** Whether one chance does not say all of it: see `sharesOf`. */
  readonly hasShares: boolean;
}

/** `releases` are those the ranges are numbered by. */
export function unitDrawOf(
  ranges: readonly PointRange[],
  releases: readonly string[],
  { compared = [], hasShares }: { readonly compared?: readonly string[]; readonly hasShares: boolean },
): UnitDraw {
  const regions = ranges.map(({ from, to, backend }) => ({ release: releases[backend] as string, from, to }));
  return {
    key: JSON.stringify([regions, compared, hasShares]),
    regions,
    ...(compared.length > 0 && { compared: [...compared] }),
    hasShares,
  };
}
