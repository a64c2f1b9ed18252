import type { Override } from '../flags/flag.ts';
import type { Counts, Rules, Verdict } from '../rollout/evidence/judge.ts';

/**
 * A flag whose variant is given to more and more users, judged by what happens to them: one document of the collection `flag-rollouts`,
 * keyed `environment/name`. Times in milliseconds since the epoch.
 */
export interface FlagRollout {
  readonly id: string;
  readonly environment: string;
  readonly flag: string;
  readonly variant: string;
  /** What users are told apart by. */
  readonly attribute: string;
  /** Whose answers say, in the attribute `flag.NAME` of `x-sluice-attributes`, which variant a user was served. */
  readonly service: string;
  /** Percentages, growing; after the last one comes everybody. */
  readonly steps: readonly number[];
  /** How long each lasts at least, counted from when clients have noticed it. */
  readonly stepMs: number;
  /** How long clients may take to notice a change: what they answer meanwhile is not counted. */
  readonly noticeMs: number;
  readonly rules: Rules;
  readonly latencyTolerance: number;
  /** What was set by hand before, and comes back when it fails. */
  readonly before?: Override | undefined;
  readonly startedAt: number;
  readonly by: string;
  readonly reason?: string | undefined;
  /** Index in `steps`. */
  readonly step: number;
  /**
   * `noticing`: the share is set, and clients are given time; `counting`: outcomes count; `closing`: they count no more, and the next share is set
   * once the gateway knows, so that none is counted with another chance than it was drawn with.
   */
  readonly phase: 'noticing' | 'counting' | 'closing';
  /** When it entered the phase. */
  readonly since: number;
  /** Latencies (ms) of the service at the quantiles of the rules before it began; absent while too little is known. */
  readonly thresholds?: readonly number[];
  readonly evidence?: FlagEvidence;
  /** Absent while it is under way. */
  readonly end?: FlagRolloutEnd;
  /** It has ended, and nothing is counted for it any more. */
  readonly isSettled?: true;
}

interface FlagEvidence {
  /** Of earlier lives of the gateway, and of before it was known what is slow. */
  readonly before: Counts;
  /** Life of the gateway, and number of thresholds, that `current` is of. */
  readonly epoch: string;
  readonly current: Counts;
  readonly verdict: Verdict;
}

export interface FlagRolloutEnd {
  readonly outcome: 'completed' | 'failed' | 'stopped';
  readonly because: string;
  readonly at: number;
}

/**
 * What the gateway is asked to count is called this, over all steps: who had the variant at the one has it at the next, which is no draw again.
 * Counts of another are not its own.
 */
export function countsId({ id }: Pick<FlagRollout, 'id'>): string {
  return `flag-${id}`;
}

/** `flag.answer-with-citations`: the attribute in which answers name the variant. */
export function attributeOf(flag: string): string {
  return `flag.${flag}`;
}

/** Percentage of users that are to be served the variant now. */
export function shareOf({ steps, step }: Pick<FlagRollout, 'steps' | 'step'>): number {
  return steps[Math.min(step, steps.length - 1)] ?? 0;
}
