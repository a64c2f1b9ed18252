import { pointCount } from '../routing/split-ranges.ts';
import { type UnitDraw, unitDrawOf } from '../routing/unit-draw.ts';
import type { EvidenceRoute } from '../routing-table.ts';
import { createCategories, valueIn } from './attributes.ts';
import { seedOf, unitNumber } from '../routing/split.ts';
import { xxh32 } from '../routing/xxh32.ts';

interface VariantDraw {
  readonly side: 'variant' | 'others';
  /** A user who was served the variant is, by whatever hash, among the first so many; a larger share has all of a smaller one. */
  readonly draw: UnitDraw;
}

/** Reads from the answer header `x-sluice-attributes` which side a flag drew; undefined where the answer does not say. */
export function createVariantDraw({
  attribute,
  variant,
  probability,
}: NonNullable<EvidenceRoute['byVariant']>): (header: string) => VariantDraw | undefined {
  if (probability === undefined) return () => undefined;
  const categories = createCategories(attribute);
  const end = Math.round(probability * pointCount);
  const ranges = [
    { from: 0, to: end, backend: 0 },
    { from: end, to: pointCount, backend: 1 },
  ].filter(({ from, to }) => from < to);
  const draw = unitDrawOf(ranges, ['variant', 'others'], { hasShares: false });
  const sides = {
    variant: { side: 'variant', draw },
    others: { side: 'others', draw },
  } as const;
  return (header) => {
    const value = categories.of(header);
    if (value < 0) return undefined;
    return categories.names()[value] === variant ? sides.variant : sides.others;
  };
}

/** The attribute in which answers name whom the flag was drawn for: the targeting key, or anything that stands for it. */
const keyAttribute = 'flag-key';
const keySeed = seedOf(keyAttribute);

/** Number of the user whom an answer names; undefined where it names none. The same in every worker. */
export function keyedUnit(header: string): number | undefined {
  const key = valueIn(header, keyAttribute);
  return key === undefined ? undefined : unitNumber(key, xxh32(key, keySeed), keySeed);
}
