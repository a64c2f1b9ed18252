import { timestamp } from '../../effects/clock.ts';
import { capacityFor } from '../course.ts';
import type { ServiceState } from '../service-state.ts';
import { armShare, experimentOf, runningArms, runningExperiment } from './arms.ts';
import { shortOfUsers, unproven } from './compare-arms.ts';

/** Why a rollout does not go on at this moment. `until`: when it will look again, where only time has to pass. */
export interface Waits {
  readonly for: 'approval' | 'resume' | 'instances' | 'smoke' | 'gateway' | 'hook' | 'time' | 'evidence';
  readonly message: string;
  readonly until?: string;
}

/** Why an experiment does not go on; undefined while none is being made. */
export function experimentWait(state: ServiceState, now: number): Waits | undefined {
  const { candidate } = state;
  const settings = experimentOf(state);
  const experiment = runningExperiment(candidate?.course);
  if (!candidate?.course || !settings || !experiment) return undefined;
  const { paused, course } = candidate;
  if (paused && experiment.finding) {
    return { for: 'approval', message: `${paused.reason}; somebody has to promote an arm or abort` };
  }
  if (paused) return { for: 'resume', message: paused.reason };
  if (course.inForceSince === undefined) {
    const weight = armShare(settings);
    const needed = capacityFor(weight, state);
    for (const { name, generation } of runningArms(experiment)) {
      const ready = state.instances.filter((instance) => instance.generation === generation && instance.phase === 'ready').length;
      if (ready < needed) return { for: 'instances', message: `${ready}/${needed} instances of the arm ${name} ready` };
    }
    return { for: 'gateway', message: `the gateway is to send each arm ${Number(weight.toFixed(2))} %` };
  }
  const until = course.inForceSince + settings.forMs;
  if (now < until) return { for: 'time', message: 'the experiment lasts until then', until: timestamp(until) };
  const short = shortOfUsers(state, experiment, settings);
  if (short)
    return { for: 'evidence', message: `${short.units} of ${settings.minUnits} users with an outcome have been seen of ${short.who}` };
  const { analysis } = state.settings.rollout;
  const [unknown] = analysis ? unproven(course, experiment, analysis) : [];
  return {
    for: 'evidence',
    message: unknown ? `too few requests of the arm ${unknown.name} have been seen` : 'the arms are being compared',
  };
}
