/**
 * Time as a parameter. Every decision takes `now` as a number; every wait goes through `sleep`, so that a simulation can own time.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump; use it for timestamps and for deadlines that must survive a restart. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back. Use it for durations inside one process. */
  monotonic(): number;
  /** Resolves after `milliseconds`; rejects with the signal's reason as soon as it is aborted, leaving no timer behind. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, milliseconds);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/** `2026-11-22T01:02:03.004Z` for a time of `Clock.now`. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
