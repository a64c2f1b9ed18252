import type { Counts, Verdict } from './evidence/judge.ts';
import type { SourceState } from './sources/source-state.ts';

/** How far a candidate has come on its way by stages. Durable: a controller that was killed goes on from it. */
export interface Course {
  /** Index of the stage that is in force or being prepared. */
  readonly stage: number;
  /** Since when the gateway is known to send the stage's share; absent while its capacity is being brought about. */
  readonly inForceSince?: number;
  /** Share of new requests (percent) that is asked of the gateway now: the last stage that had its capacity. */
  readonly weight: number;
  readonly smokePassed?: boolean;
  /** Somebody has agreed to the end of this stage: it is waited for no longer. */
  readonly approved?: boolean;
  /** Somebody went on although the evidence spoke against it: it decides nothing any more. */
  readonly overruled?: boolean;
  /** The copies that are asked of the gateway now. */
  readonly mirror?: MirrorSettings;
  readonly evidence?: CourseEvidence;
  /** What was counted of requests and their copies: no part of `evidence`. */
  readonly copies?: CopiesEvidence;
  /** What other sources than the gateway have found. */
  readonly sources?: readonly SourceState[];
  /** Somebody went on although a source spoke against it: none decides anything any more. */
  readonly sourcesOverruled?: true;
}

/** Requests that are copied to a candidate. */
export interface MirrorSettings {
  /** Percentage of the requests of these methods. */
  readonly percent: number;
  readonly methods: readonly string[];
}

/** `overruled`: somebody went on although the copies spoke against it. */
type CopiesEvidence = Omit<CourseEvidence, 'thresholds'> & { readonly overruled?: true };

interface CourseEvidence {
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

export const newCourse: Course = { stage: 0, weight: 0 };
