/** Requests a second of a slot beyond which one of four is told of, then one of four of those, and so on: 32 to 128 a second, or all there are. */
const busyRates = [128, 512, 2_048, 8_192] as const;
const oneOf = 4;

/** How much of what it answers HAProxy tells of. */
export interface LogSampling {
  /** Ascending rates: beyond each of them one of `oneOf` of what was left is told of. */
  readonly rates: readonly number[];
  readonly oneOf: number;
}

/** `leastShare`: from 0 to 1, as much is told of at any rate. */
export function logSampling(leastShare: number): LogSampling {
  return { rates: busyRates.filter((_rate, index) => oneOf ** -(index + 1) >= leastShare), oneOf };
}

/** For how many requests one stands that was told of at this rate. */
export function weightAt(rate: number, { rates, oneOf: each }: LogSampling): number {
  let weight = 1;
  for (const busy of rates) if (rate > busy) weight *= each;
  return weight;
}
