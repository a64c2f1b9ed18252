import type { Course } from '../course-state.ts';
import { type Candidate, revisionOf, type RolloutSettings, type ServiceState } from '../service-state.ts';
import type { ArmCourse, ExperimentCourse, ExperimentSettings } from './experiment-state.ts';

/** Percentage of new requests each arm gets, the plain candidate included. */
export function armShare({ share, arms }: Pick<ExperimentSettings, 'share' | 'arms'>): number {
  return share / armCount({ arms });
}

export function armCount({ arms }: Pick<ExperimentSettings, 'arms'>): number {
  return arms.length + 1;
}

/** Parts that the alpha of `analysis` is divided into: one for each arm that may be taken back by mistake. */
export function safetyParts({ experiment }: RolloutSettings): number {
  return experiment ? armCount(experiment) : 1;
}

/** Generation under which the rollout began: cohorts, counts and its record are called by it, whichever arm goes on. */
export function originOf({ generation, began }: Pick<Candidate, 'generation' | 'began'>): number {
  return began ?? generation;
}

/** The experiment that belongs to the candidate under way, begun or not; undefined where there is none. */
export function experimentOf(state: Pick<ServiceState, 'candidate' | 'settings' | 'arms' | 'revisions'>): ExperimentSettings | undefined {
  const { candidate, settings, arms } = state;
  const { experiment } = settings.rollout;
  if (!candidate || !experiment || !arms) return undefined;
  return revisionOf(state, originOf(candidate))?.release === arms.of ? experiment : undefined;
}

/** The experiment that is being made at this moment: it has begun, and no arm goes on alone yet. */
export function runningExperiment(course: Course | undefined): ExperimentCourse | undefined {
  return course?.experiment?.promoted === undefined ? course?.experiment : undefined;
}

export function runningArms({ arms }: ExperimentCourse): readonly ArmCourse[] {
  return arms.filter(({ withdrawn }) => withdrawn === undefined);
}

/** Share of one generation beside stable. */
export interface StagedShare {
  readonly generation: number;
  /** Percentage of new requests that is asked of the gateway now. */
  readonly weight: number;
}

/** Who gets what beside stable, in the order of their slots: the candidate, or every arm of an experiment. Withdrawn arms get nothing. */
export function stagedShares({ candidate }: Pick<ServiceState, 'candidate'>, course: Course): readonly StagedShare[] {
  if (!candidate) return [];
  const experiment = runningExperiment(course);
  if (!experiment) return [{ generation: candidate.generation, weight: course.weight }];
  return runningArms(experiment).map(({ generation, weight }) => ({ generation, weight }));
}

/** The part of all users a generation takes its share from, the same from the beginning to the end of the rollout. */
export function slotOf(state: ServiceState, generation: number): { readonly index: number; readonly of: number } | undefined {
  const experiment = experimentOf(state);
  if (!experiment || !state.candidate?.course) return undefined;
  const arms = state.candidate.course.experiment?.arms;
  const index = arms ? arms.findIndex((arm) => arm.generation === generation) : generation === state.candidate.generation ? 0 : -1;
  return index < 0 ? undefined : { index, of: armCount(experiment) };
}
