/** How often a client may do something that costs the gateway more than the client. */
export interface Allowance {
  /** True as long as it is within bounds. */
  spend(): boolean;
}

/** A token bucket: `burst` at once, then `perSecond`. `now` gives monotonic milliseconds. */
export function createAllowance(burst: number, perSecond: number, now: () => number): Allowance {
  let left = burst;
  let since = now();
  return {
    spend: () => {
      const at = now();
      left = Math.min(burst, left + ((at - since) / 1_000) * perSecond);
      since = at;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
