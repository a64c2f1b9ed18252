import type { NewEvent } from '../../telemetry/events.ts';
import { foldEvidence } from '../course-evidence.ts';
import { type Course, newCourse } from '../course-state.ts';
import { findingsInWords } from '../evidence/words.ts';
import type { KeptEvidence } from '../kept-evidence.ts';
import { rolloutEvent } from '../rollout-outcome.ts';
import { isLive, type ServiceState } from '../service-state.ts';
import type { Observation } from '../strategy.ts';
import { foldOutcomes } from './counted-outcomes.ts';
import { type ArmCourse, type ExperimentCourse, plainArm } from './experiment-state.ts';

interface JudgedArms {
  readonly course: Course;
  readonly events: readonly NewEvent[];
  /** The evidence of an arm is not to be trusted. */
  readonly error?: string;
}

/**
 * The course with what the gateway has counted since, every arm judged for safety beside stable by itself. One that does harm or whose
 * instances end again and again is withdrawn.
 */
export function judgedArms(
  state: ServiceState,
  given: Course,
  experiment: ExperimentCourse,
  observation: Observation,
  now: number,
): JudgedArms {
  const isPlainOut = experiment.arms.some(({ name, withdrawn }) => name === plainArm && withdrawn);
  const course = isPlainOut ? given : foldEvidence(state, given, observation.evidence);
  const seen = experiment.arms.map((arm) => (arm.name === plainArm || arm.withdrawn ? arm : folded(state, arm, observation)));
  const found = seen.map((arm) => ({ arm, trouble: arm.withdrawn ? undefined : troubleOf(state, arm, evidenceOf(arm, course), course) }));
  const arms = found.map(({ arm, trouble }) => (trouble?.type === 'withdraw' ? withdrawn(arm, trouble, now) : arm));
  const events = found.flatMap(({ arm, trouble }) => (trouble?.type === 'withdraw' ? [withdrawal(state, arm, trouble.reason)] : []));
  const error = found.find(({ trouble }) => trouble?.type === 'error')?.trouble;
  // What it came to stays as it was found.
  const outcomes = experiment.finding ? experiment.outcomes : foldOutcomes(experiment.outcomes, observation.experiment?.outcomes);
  return {
    course: { ...course, experiment: { ...experiment, arms, ...(outcomes && { outcomes }) } },
    events,
    ...(error && { error: error.reason }),
  };
}

/** What is known of an arm's safety. */
export function evidenceOf(arm: ArmCourse, course: Course): KeptEvidence | undefined {
  return arm.name === plainArm ? course.evidence : arm.evidence;
}

export function withdrawn(arm: ArmCourse, { reason, instance }: { reason: string; instance?: string }, now: number): ArmCourse {
  return { ...arm, weight: 0, withdrawn: { reason, at: now, ...(instance !== undefined && { instance }) } };
}

export function withdrawal(state: ServiceState, { name, generation }: ArmCourse, reason: string): NewEvent {
  const event = rolloutEvent(state, generation, 'rollout.progressed', `(arm ${name}) is withdrawn from the experiment: ${reason}`);
  return { ...event, level: 'warning' };
}

function folded(state: ServiceState, arm: ArmCourse, observation: Observation): ArmCourse {
  const { evidence } = foldEvidence(
    state,
    { ...newCourse, ...(arm.evidence && { evidence: arm.evidence }) },
    observation.experiment?.arms.get(arm.generation),
  );
  return evidence ? { ...arm, evidence } : arm;
}

type Trouble =
  | { readonly type: 'withdraw'; readonly reason: string; readonly instance?: string }
  | { readonly type: 'error'; readonly reason: string };

function troubleOf(state: ServiceState, arm: ArmCourse, evidence: KeptEvidence | undefined, course: Course): Trouble | undefined {
  const mine = state.instances.filter((instance) => instance.generation === arm.generation && isLive(instance));
  const looping = mine.find(({ phase }) => phase === 'crash_looping');
  if (looping) {
    const reason = `its instance ${looping.id} keeps failing: it ${looping.reason ?? 'ended'}`;
    return { type: 'withdraw', reason, instance: looping.id };
  }
  const verdict = arm.name === plainArm && course.overruled === true ? undefined : evidence?.verdict;
  if (verdict?.verdict === 'fail') return { type: 'withdraw', reason: `${verdict.because}: ${findingsInWords(verdict)}` };
  return verdict?.verdict === 'error' ? { type: 'error', reason: verdict.because } : undefined;
}
