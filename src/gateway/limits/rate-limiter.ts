/** Token buckets by key, bounded in number. */
export interface RateLimiter {
  /** Takes one token of the key. 0: taken; otherwise nothing is taken and it is the milliseconds until there will be one. */
  take(key: string, now: number): number;
  /** Tokens of the key were taken by another process that keeps the same limit: they are missing here, even if there were not so many. */
  spend(key: string, tokens: number, now: number): void;
}

export interface RateSettings {
  readonly requests: number;
  readonly perMs: number;
  /** Size of a bucket. */
  readonly burst: number;
}

interface RateLimiterOptions {
  readonly maxKeys?: number;
  /** Told of every token that is taken here. */
  readonly taken?: ((key: string) => void) | undefined;
}

/** Keys that are kept at most; about 100 bytes each. */
const keysKept = 100_000;
/** Keys that are looked at to find room for a new one. */
const searched = 32;

/**
 * A token bucket of `burst` tokens that gets `requests` every `perMs`, kept as one number a key: the time at which the bucket will be full
 * (the theoretical arrival time of the generic cell rate algorithm, ITU-T I.371). A full bucket is the same as none, so room for a new key
 * is made by forgetting full ones, in turn; when there is none among those looked at, the fullest of them.
 */
export function createRateLimiter({ requests, perMs, burst }: RateSettings, options: RateLimiterOptions = {}): RateLimiter {
  const { maxKeys = keysKept, taken } = options;
  const tokenMs = perMs / requests;
  const capacityMs = burst * tokenMs;
  const fullAt = new Map<string, number>();
  let cursor = fullAt.entries();

  const makeRoom = (now: number): void => {
    let fullest: string | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (let step = 0; step < searched; step += 1) {
      let { value: entry } = cursor.next();
      if (entry === undefined) {
        cursor = fullAt.entries();
        ({ value: entry } = cursor.next());
        if (entry === undefined) return;
      }
      const [key, at] = entry;
      if (at <= now) fullAt.delete(key);
      else if (at < earliest) [fullest, earliest] = [key, at];
    }
    if (fullAt.size >= maxKeys && fullest !== undefined) fullAt.delete(fullest);
  };

  return {
    take: (key, now) => {
      const known = fullAt.get(key);
      const next = (known === undefined || known < now ? now : known) + tokenMs;
      // A millionth of a token: what adding up fractions may have lost.
      const waitMs = next - now - capacityMs - tokenMs * 1e-6;
      if (waitMs > 0) return waitMs;
      if (known === undefined && fullAt.size >= maxKeys) makeRoom(now);
      fullAt.set(key, next);
      taken?.(key);
      return 0;
    },
    spend: (key, tokens, now) => {
      const known = fullAt.get(key);
      if (known === undefined && fullAt.size >= maxKeys) makeRoom(now);
      fullAt.set(key, Math.max(known ?? now, now) + tokens * tokenMs);
    },
  };
}
