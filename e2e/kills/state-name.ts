import { isBaseline } from '../../src/rollout/baseline.ts';
import { hasStages, stageOf } from '../../src/rollout/course.ts';
import { newCourse } from '../../src/rollout/course-state.ts';
import { rolloutOf } from '../../src/rollout/rollout-view.ts';
import type { Candidate, Instance, InstancePhase, ServiceState, StageSettings } from '../../src/rollout/service-state.ts';

/** What a rollout is doing, as one of `situations`. */
function situationOf(state: ServiceState | undefined, now: number): string {
  if (!state) return 'gone';
  const { candidate, stable, previous, failure, mode, instances } = state;
  if (mode !== 'running') return mode;
  if (candidate && !hasStages(state)) {
    const what = candidate.urgent === true ? 'return' : 'replacement';
    return `${what}: ${candidate.paused ? 'paused' : 'instances'}`;
  }
  if (candidate) return stagedSituation(state, candidate, now);
  if (previous) return 'completed: the one before is kept';
  const others = instances.some(({ generation }) => generation !== stable);
  if (others)
    return failure && instances.some(({ generation }) => generation === failure.generation)
      ? 'taken back: it leaves'
      : 'completed: the one before leaves';
  return instances.length === state.replicas && instances.every(({ phase }) => phase === 'ready') ? 'at rest' : 'stable alone: instances';
}

function stagedSituation(state: ServiceState, candidate: Candidate, now: number): string {
  const course = { ...newCourse, ...candidate.course };
  const stage = stageOf(state, course);
  const promoted = course.experiment?.promoted === undefined ? '' : 'promoted arm, ';
  const withdrawn = course.experiment?.arms.some((arm) => arm.withdrawn) === true && promoted === '' ? ', an arm withdrawn' : '';
  return `${promoted}${kindOf(state, stage)}: ${stepOf(state, now)}${withdrawn}`;
}

function kindOf({ settings }: ServiceState, { experiment, mirror, weight }: StageSettings): string {
  if (experiment) return 'experiment';
  if (mirror) return 'copies';
  if (weight === 100) return 'whole';
  return weight === 0 && settings.rollout.fullSet === true ? 'preview' : 'share';
}

/** What a stage waits for. */
function stepOf(state: ServiceState, now: number): string {
  const rollout = rolloutOf(state, now);
  const course = { ...newCourse, ...state.candidate?.course };
  const isInForce = course.inForceSince !== undefined;
  switch (rollout?.waits.for) {
    case 'instances':
      return rollout.waits.message.includes('fresh instances of stable') ? 'capacity of the baseline' : 'capacity';
    case 'smoke':
      return 'smoke check';
    case 'gateway':
      return 'gateway';
    case 'hook':
      return isInForce ? 'hook after' : 'hook before';
    case 'approval':
      return 'approval';
    case 'resume':
      return 'paused';
    case 'time':
      return 'time';
    case 'evidence':
      if (state.candidate?.paused) return 'held until a source answers';
      return stageOf(state, course).weight === 100 ? 'in force' : 'evidence';
    case undefined:
      break;
  }
  return 'nothing';
}

/** Who an instance is of. */
function roleOf(state: ServiceState, instance: Instance): string {
  const { candidate, stable, previous, failure } = state;
  const { generation } = instance;
  if (isBaseline(state, instance)) return 'baseline';
  if (generation === candidate?.generation) return 'candidate';
  if (generation === stable) return 'stable';
  if (generation === previous?.generation) return 'kept';
  if (candidate?.course?.experiment?.arms.some((arm) => arm.generation === generation)) return 'arm';
  return generation === failure?.generation ? 'given up' : 'former';
}

/** The situation, and the phases of the instances by who they are of: all that decides what comes next, but for counts and times. */
export function stateName(state: ServiceState | undefined, now: number): string {
  const phases = new Map<string, Set<InstancePhase>>();
  for (const instance of state?.instances ?? []) {
    const role = roleOf(state as ServiceState, instance);
    phases.set(role, (phases.get(role) ?? new Set()).add(instance.phase));
  }
  const roles = Array.from(phases, ([role, found]) => `${role} ${[...found].toSorted().join('+')}`).toSorted();
  return [situationOf(state, now), ...roles].join(' | ');
}
