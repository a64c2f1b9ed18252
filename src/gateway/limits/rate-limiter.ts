/** Token buckets by key, bounded in number. */
export interface RateLimiter {
  /** Takes one token of the key. 0: taken; otherwise nothing is taken and it is the milliseconds until there will be one. */
  take(key: string, now: number): number;
}
