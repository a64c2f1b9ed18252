import { pointCount } from '../routing/split-ranges.ts';
import { type UnitDraw, unitDrawOf } from '../routing/unit-draw.ts';
import type { EvidenceRoute } from '../routing-table.ts';
import { createCategories } from './attributes.ts';

interface VariantDraw {
  readonly side: 'variant' | 'others';
  /** Chance with which the flag drew this side. */
  readonly probability: number;
  /** A user who was served the variant is, by whatever hash, among the first so many; a larger share has all of a smaller one. */
  readonly draw: UnitDraw;
}

/** Reads from the answer header `x-sluice-attributes` which side a flag drew; undefined where the answer does not say. Allocates nothing. */
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
    variant: { side: 'variant', probability, draw },
    others: { side: 'others', probability: 1 - probability, draw },
  } as const;
  return (header) => {
    const value = categories.of(header);
    if (value < 0) return undefined;
    return categories.names()[value] === variant ? sides.variant : sides.others;
  };
}
