import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { type SluiceError, toSluiceError } from '../errors/sluice-error.ts';

export interface RetryDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/** Told before each wait; `attempt` is the one that has just failed, out of `attempts`. */
type OnRetry = (error: SluiceError, waitMs: number, count: { readonly attempt: number; readonly attempts: number }) => void;

/** `firstMs` doubles with each attempt up to `longestMs`. */
const patience = {
  retry: { attempts: 6, firstMs: 250, longestMs: 10_000 },
  wait: { attempts: 20, firstMs: 500, longestMs: 5_000 },
} as const;

/**
 * Runs `work` until it succeeds, its error is terminal, or its patience is used up; between attempts waits between half and all of an
 * exponentially growing time. Aborting `signal` ends a wait at once with the last error. Throws only SluiceErrors.
 */
export async function withRetry<Result>(
  { clock, random }: RetryDependencies,
  work: () => Promise<Result>,
  options: { readonly signal?: AbortSignal; readonly onRetry?: OnRetry } = {},
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      const error = toSluiceError(thrown);
      // A defect does not go away by itself; what it half did should not be done six times.
      if (error.retry === 'terminal' || error.code === 'internal_error') throw error;
      const { attempts, firstMs, longestMs } = patience[error.retry];
      if (attempt >= attempts || options.signal?.aborted) throw error;
      const waitMs = Math.round(Math.min(longestMs, firstMs * 2 ** (attempt - 1)) * (0.5 + random.next() / 2));
      options.onRetry?.(error, waitMs, { attempt, attempts });
      await clock.sleep(waitMs, options.signal).catch(() => {
        throw error;
      });
    }
  }
}
