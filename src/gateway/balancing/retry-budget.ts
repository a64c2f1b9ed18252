/** Retries as a share of recent requests, so that retries never multiply an overload (as in Finagle). */
export interface RetryBudget {
  /** A first attempt was made. */
  deposit(now: number): void;
  /** Whether one more attempt may be made; it then counts. */
  withdraw(now: number): boolean;
}
