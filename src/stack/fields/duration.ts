import { z } from 'zod';

const unitsInMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const expected = 'a duration such as 500ms, 30s, 1m or 24h';
const longest = 366 * 86_400_000;

/**
 * Milliseconds of a duration as the language writes it: one or more numbers with a unit, largest first by custom (`500ms`, `30s`,
 * `1h30m`). Undefined for anything else, and for what is longer than a year.
 */
export function parseDuration(text: string): number | undefined {
  if (text.length > 32 || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) total += Number(amount) * (unitsInMs[unit ?? ''] ?? 0);
  return total <= longest ? Math.round(total) : undefined;
}

/** As `parseDuration`, for a field that the schema has already checked. Throws RangeError otherwise. */
export function parseDurationMs(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw new RangeError(`not a duration: ${text}`);
  return duration;
}

/** A duration field. It stays as declared; read it with `parseDurationMs`. */
export function duration() {
  return z
    .string({ error: expected })
    .regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, { error: expected, abort: true })
    .refine((text) => parseDuration(text) !== undefined, { error: 'a duration of at most 366 days' })
    .meta({ 'x-type': 'duration' });
}
