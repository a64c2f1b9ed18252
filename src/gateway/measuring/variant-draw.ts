import type { EvidenceRoute } from '../routing-table.ts';
import { createCategories } from './attributes.ts';

interface VariantDraw {
  readonly side: 'variant' | 'others';
  /** Chance with which the flag drew this side. */
  readonly probability: number;
}

/** Reads from the answer header `x-sluice-attributes` which side a flag drew; undefined where the answer does not say. Allocates nothing. */
export function createVariantDraw({
  attribute,
  variant,
  probability,
}: NonNullable<EvidenceRoute['byVariant']>): (header: string) => VariantDraw | undefined {
  const categories = createCategories(attribute);
  const sides = {
    variant: { side: 'variant', probability },
    others: { side: 'others', probability: 1 - probability },
  } as const;
  return (header) => {
    const value = categories.of(header);
    if (value < 0) return undefined;
    return categories.names()[value] === variant ? sides.variant : sides.others;
  };
}
