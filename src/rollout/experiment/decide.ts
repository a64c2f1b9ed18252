import { sluiceError } from '../../errors/sluice-error.ts';
import type { ServiceState } from '../service-state.ts';
import { runningExperiment } from './arms.ts';
import { plainArm } from './experiment-state.ts';
import { withPromotedArm } from './promote-arm.ts';

/**
 * The state after somebody has decided for an arm, the plain candidate unless one is named; as it is where no experiment is being made and
 * none is named, or this very arm goes on already. Throws `experiment_has_no_arm` and `experiment_arm_withdrawn`.
 */
export function withDecision(state: ServiceState, named: string | undefined): ServiceState {
  const course = state.candidate?.course;
  const experiment = runningExperiment(course);
  if (!experiment) {
    if (named === undefined || course?.experiment?.promoted === named) return state;
    throw sluiceError('experiment_has_no_arm', { service: state.address, arm: named, arms: [] });
  }
  const name = named ?? plainArm;
  const arm = experiment.arms.find((each) => each.name === name);
  const arms = experiment.arms.filter(({ withdrawn }) => !withdrawn).map((each) => each.name);
  if (!arm) throw sluiceError('experiment_has_no_arm', { service: state.address, arm: name, arms });
  if (arm.withdrawn)
    throw sluiceError('experiment_arm_withdrawn', { service: state.address, arm: name, reason: arm.withdrawn.reason, arms });
  return withPromotedArm(state, name);
}

/** Whether this very arm goes on already, or is in use; without a name, whichever does. */
export function isDecided({ candidate, chosen }: ServiceState, named: string | undefined): boolean {
  if (named === undefined) return true;
  return candidate ? candidate.course?.experiment?.promoted === named : chosen?.arm === named;
}
