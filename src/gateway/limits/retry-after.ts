const longestSeconds = 60;

/** Value of a `Retry-After` field for a wait in milliseconds: whole seconds, at least one, at most a minute. */
export function retryAfter(waitMs: number): string {
  return String(Math.min(longestSeconds, Math.max(1, Math.ceil(waitMs / 1_000))));
}
