import type { Clock } from '../../effects/clock.ts';

/** How many requests each client may make: `burst` at once, then `perSecond`. */
export interface RequestBudget {
  /** Undefined when the request may be answered; else whole seconds after which the next one may. */
  take(client: string): number | undefined;
}

const clientsKept = 10_000;

/** One token bucket a client. Buckets that are full again are as good as none and are forgotten. */
export function createRequestBudget({
  clock,
  burst,
  perSecond,
}: {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly burst: number;
  readonly perSecond: number;
}): RequestBudget {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const tokensOf = (bucket: { tokens: number; at: number }, now: number): number =>
    Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);

  return {
    take: (client) => {
      const now = clock.monotonic();
      const known = buckets.get(client);
      const tokens = known === undefined ? burst : tokensOf(known, now);
      if (known === undefined && buckets.size >= clientsKept) {
        for (const [name, bucket] of buckets) if (tokensOf(bucket, now) >= burst) buckets.delete(name);
      }
      if (tokens < 1) return Math.max(1, Math.ceil((1 - tokens) / perSecond));
      buckets.set(client, { tokens: tokens - 1, at: now });
      return undefined;
    },
  };
}
