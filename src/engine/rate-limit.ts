import type { Clock } from '../effects/clock.ts';
import type { Provider } from '../providers/provider.ts';

/** Keeps calls to each provider within the rate it declares. */
export interface RateLimits {
  /** Resolves when a call may be made; rejects with the signal's reason when it is aborted before. First come, first served. */
  take(provider: Provider, signal?: AbortSignal): Promise<void>;
}

/** A token bucket: `burst` calls at once, then `perSecond`. */
export interface TokenBucket {
  take(signal?: AbortSignal): Promise<void>;
}

export function createRateLimits(clock: Clock): RateLimits {
  const buckets = new Map<string, TokenBucket>();
  return {
    take: async (provider, signal) => {
      if (provider.rateLimit === undefined) return;
      const bucket = buckets.get(provider.name) ?? createTokenBucket(clock, provider.rateLimit);
      buckets.set(provider.name, bucket);
      await bucket.take(signal);
    },
  };
}

/**
 * The generic cell rate algorithm (ITU-T I.371) in its virtual-scheduling form: one number says when the bucket would be full again, so a
 * take costs no timer while there are tokens, and waiting takes are served in turn. Durations are monotonic: a clock that jumps neither
 * opens nor closes the bucket.
 */
export function createTokenBucket(clock: Clock, { perSecond, burst }: NonNullable<Provider['rateLimit']>): TokenBucket {
  const intervalMs = 1_000 / perSecond;
  const toleranceMs = intervalMs * (Math.max(1, burst) - 1);
  /** Theoretical arrival time of the next call. */
  let nextMs = Number.NEGATIVE_INFINITY;
  return {
    take: async (signal) => {
      const now = clock.monotonic();
      const arrival = Math.max(nextMs, now);
      nextMs = arrival + intervalMs;
      const waitMs = arrival - toleranceMs - now;
      if (waitMs > 0) await clock.sleep(waitMs, signal);
    },
  };
}
