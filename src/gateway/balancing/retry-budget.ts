/** Retries as a share of recent requests, so that retries never multiply an overload (as in Finagle). */
export interface RetryBudget {
  /** A first attempt was made. */
  deposit(now: number): void;
  /** Whether one more attempt may be made; it then counts. */
  withdraw(now: number): boolean;
}

const windowSeconds = 10;
/** Retries a second that a service with hardly any requests may make all the same. */
const leastPerSecond = 3;

/**
 * A budget over the last ten seconds: `share` of the first attempts, and three retries a second on top; a share of 0 allows none at all.
 * `now` is monotonic milliseconds.
 */
export function createRetryBudget(share: number): RetryBudget {
  const deposits = new Float64Array(windowSeconds);
  const withdrawals = new Float64Array(windowSeconds);
  let second = -1;
  let deposited = 0;
  let withdrawn = 0;

  /** Forgets what has left the window; the place of the current second. */
  const placeOf = (now: number): number => {
    const current = Math.floor(now / 1_000);
    for (let passed = Math.max(second + 1, current - windowSeconds + 1); passed <= current; passed += 1) {
      const at = passed % windowSeconds;
      deposited -= deposits[at] as number;
      withdrawn -= withdrawals[at] as number;
      deposits[at] = 0;
      withdrawals[at] = 0;
    }
    second = Math.max(second, current);
    return second % windowSeconds;
  };

  return {
    deposit: (now) => {
      const at = placeOf(now);
      deposits[at] = (deposits[at] as number) + 1;
      deposited += 1;
    },
    withdraw: (now) => {
      const at = placeOf(now);
      if (share <= 0 || withdrawn + 1 > deposited * share + leastPerSecond * windowSeconds) return false;
      withdrawals[at] = (withdrawals[at] as number) + 1;
      withdrawn += 1;
      return true;
    },
  };
}
