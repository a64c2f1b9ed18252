import type { Counts, Verdict } from './evidence/judge.ts';

/** What has been counted of one release beside stable. */
export interface KeptEvidence {
  /** Latencies (ms) of stable before the rollout, frozen; absent until enough was known of them. */
  readonly thresholds?: readonly number[];
  /** Of earlier lives of the gateway. */
  readonly before: Counts;
  /** `layoutOf` the rules it was counted for; absent in what an older version has stored. */
  readonly layout?: string;
  readonly epoch: string;
  readonly current: Counts;
  readonly verdict: Verdict;
}
