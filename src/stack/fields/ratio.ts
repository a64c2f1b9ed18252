import { z } from 'zod';

const expected = 'a ratio such as 1.0x or 1.2x';

/** The factor of `1.2x`. Throws RangeError for what the schema would refuse. */
export function parseRatio(text: string): number {
  if (!/^\d+(\.\d+)?x$/.test(text)) throw new RangeError(`not a ratio: ${text}`);
  return Number(text.slice(0, -1));
}

/** How many times the stable release's value a candidate may reach. */
export function ratio() {
  return z
    .string({ error: expected })
    .regex(/^\d+(\.\d+)?x$/, { error: expected, abort: true })
    .refine((text) => parseRatio(text) >= 1 && parseRatio(text) <= 100, { error: 'a ratio from 1.0x to 100x' })
    .meta({ 'x-type': 'ratio' });
}
