/**
 * What a caller may do about an error: `terminal` never try again until something changes; `wait` a condition is not met yet, try when
 * it is; `retry` a passing fault, try again with backoff.
 */
export type RetryClass = 'terminal' | 'wait' | 'retry';

export interface CatalogueEntry<Parameters> {
  /** HTTP status when the API answers with this error. */
  readonly status: number;
  readonly retry: RetryClass;
  /** One sentence: what is wrong. Never contains a secret. */
  readonly message: (parameters: Parameters) => string;
  /** One sentence: what the user can do next; empty when the message says it all. */
  readonly help: (parameters: Parameters) => string;
}

/** Keeps the parameter type of one catalogue row. */
export function entry<Parameters>(row: CatalogueEntry<Parameters>): CatalogueEntry<Parameters> {
  return row;
}
