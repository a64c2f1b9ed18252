import { z } from 'zod';

const expected = 'a percentage such as 2% or 0.5%';
const pattern = /^\d+(\.\d+)?%$/;

/** The fraction of `2%`: 0.02. Throws RangeError for what the schema would refuse. */
export function parsePercentage(text: string): number {
  if (!pattern.test(text)) throw new RangeError(`not a percentage: ${text}`);
  return Number((Number(text.slice(0, -1)) / 100).toPrecision(12));
}

/** A share of all requests: more than none, and less than all. */
export function percentage() {
  return z
    .string({ error: expected })
    .max(16, { error: expected })
    .regex(pattern, { error: expected, abort: true })
    .refine((text) => parsePercentage(text) > 0 && parsePercentage(text) < 1, { error: 'a percentage above 0% and below 100%' })
    .meta({ 'x-type': 'percentage' });
}
