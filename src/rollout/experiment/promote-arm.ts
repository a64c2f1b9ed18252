import { type Candidate, type ServiceState } from '../service-state.ts';
import { originOf, runningExperiment } from './arms.ts';
import { plainArm } from './experiment-state.ts';

/**
 * The state with one arm as the candidate of the stages that are left: what is known of it goes with it, and the others are out. As it is
 * when no experiment is being made or it has no such arm.
 */
export function withPromotedArm(state: ServiceState, name: string): ServiceState {
  const { candidate } = state;
  const experiment = runningExperiment(candidate?.course);
  const arm = experiment?.arms.find((each) => each.name === name);
  if (!candidate?.course || !experiment || !arm) return state;
  const promoted = { ...experiment, promoted: name };
  if (name === plainArm) return { ...state, candidate: { ...candidate, course: { ...candidate.course, experiment: promoted } } };
  // What was overruled, and what was counted, was of the plain candidate.
  const { overruled: _, evidence: __, ...course } = candidate.course;
  const next: Candidate = {
    ...candidate,
    generation: arm.generation,
    began: originOf(candidate),
    arm: name,
    course: { ...course, weight: arm.weight, experiment: promoted, ...(arm.evidence && { evidence: arm.evidence }) },
  };
  return { ...state, candidate: next };
}
