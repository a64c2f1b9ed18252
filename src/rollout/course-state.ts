import type { HookRuns } from './hooks/hook.ts';
import type { ExperimentCourse } from './experiment/experiment-state.ts';
import type { KeptEvidence } from './kept-evidence.ts';
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
  readonly hooks?: HookRuns;
  readonly evidence?: KeptEvidence;
  /** From when it has begun to the end of the rollout. */
  readonly experiment?: ExperimentCourse;
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
type CopiesEvidence = Omit<KeptEvidence, 'thresholds'> & { readonly overruled?: true };

export const newCourse: Course = { stage: 0, weight: 0 };
