import { z } from 'zod';
import type { PointRange } from './split-ranges.ts';

/** Points `from <= point < to` whose units go to one release. */
const region = z.object({ release: z.string(), from: z.number(), to: z.number() });
export type Region = z.infer<typeof region>;

/** How units are divided by a table: of whose point is where, who has which release. */
export const unitDraw = z.object({
  /** Equal for equal divisions. */
  key: z.string(),
  regions: z.array(region).readonly(),
  /** Releases among which chances are; absent: all. */
  compared: z.array(z.string()).readonly().optional(),
  /** Whether one chance does not say all of it: see `sharesOf`. */
  hasShares: z.boolean(),
});
export type UnitDraw = z.infer<typeof unitDraw>;

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
