import type { Counts, Verdict } from './evidence/judge.ts';
import type { ServiceState, StageSettings } from './service-state.ts';

/** How far a candidate has come on its way by stages. Durable: a controller that was killed goes on from it. */
export interface Course {
  /** Index of the stage that is in force or being prepared. */
  readonly stage: number;
  /** Since when the gateway is known to send the stage's share; absent while its capacity is being brought about. */
  readonly inForceSince?: number;
  /** Share of new requests (percent) that is asked of the gateway now: the last stage that had its capacity. */
  readonly weight: number;
  readonly smokePassed?: boolean;
  readonly evidence?: CourseEvidence;
}

export interface CourseEvidence {
  /** Latencies (ms) of stable before the rollout, frozen; absent until enough was known of them. */
  readonly thresholds?: readonly number[];
  /** Of earlier lives of the gateway. */
  readonly before: Counts;
  readonly epoch: string;
  readonly current: Counts;
  readonly verdict: Verdict;
}

export const newCourse: Course = { stage: 0, weight: 0 };

const whole: StageSettings = { weight: 100, forMs: 0, approval: false };

/** The stages of a rollout; the last one is the whole. */
export function stagesOf({ settings }: Pick<ServiceState, 'settings'>): readonly StageSettings[] {
  const stages = settings.rollout.stages ?? [];
  return stages.at(-1)?.weight === 100 ? stages : [...stages, whole];
}

/** Instances the candidate needs before it may get this share of all requests: as many as stable would need for it, and one at least. */
export function capacityFor(weight: number, { replicas, settings }: Pick<ServiceState, 'replicas' | 'settings'>): number {
  if (settings.rollout.fullSet === true) return replicas;
  return Math.min(replicas, Math.max(1, Math.ceil((replicas * weight) / 100)));
}
