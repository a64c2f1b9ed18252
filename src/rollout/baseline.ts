import { capacityAt, hasStages, stageOf } from './course.ts';
import { layoutOf } from './counted-evidence.ts';
import { newCourse } from './course-state.ts';
import type { Rules } from './evidence/judge.ts';
import { revisionOf, type Instance, type ServiceState } from './service-state.ts';

/*
 * A candidate that has just started is compared with instances of stable that have just started too, and not with what has been warm for
 * weeks. They are instances of stable's generation with a mark that names the candidate: with that candidate gone, whatever became of it,
 * the mark means nothing and they are instances of stable like any other, to be kept or drained as there are too many or too few.
 */

const mark = '@baseline';

/** Whether the rollout under way compares with fresh instances: from its beginning to its end. */
export function usesBaseline(state: Pick<ServiceState, 'candidate' | 'stable' | 'settings' | 'revisions'>): boolean {
  return state.settings.rollout.baseline === true && state.settings.rollout.analysis !== undefined && hasStages(state);
}

export function isBaseline(state: ServiceState, { baseline }: Pick<Instance, 'baseline'>): boolean {
  return baseline !== undefined && baseline === state.candidate?.generation && usesBaseline(state);
}

/** What an instance is counted among: those of its generation, or the baseline. */
export function groupOf(state: ServiceState, instance: Instance): number | 'baseline' {
  return isBaseline(state, instance) ? 'baseline' : instance.generation;
}

/** What the gateway calls these instances: a backend of their own. */
export function baselineName(state: Pick<ServiceState, 'revisions' | 'stable'>): string {
  return `${revisionOf(state, state.stable)?.release ?? ''}${mark}`;
}

/** What the gateway calls whatever it counts the instance with: its release, or the baseline. */
export function backendName(state: ServiceState, instance: Pick<Instance, 'baseline' | 'generation'>): string | undefined {
  return isBaseline(state, instance) ? baselineName(state) : revisionOf(state, instance.generation)?.release;
}

/** Which numbers of the gateway's mean what in this rollout: those of a comparison with something else tell it nothing. */
export function evidenceLayout(state: Parameters<typeof usesBaseline>[0], rules: Rules): string {
  return usesBaseline(state) ? `${layoutOf(rules)}-baseline` : layoutOf(rules);
}

/** The release behind a name of the gateway's; undefined when it is no baseline. */
export function releaseOfBaseline(name: string): string | undefined {
  return name.endsWith(mark) ? name.slice(0, -mark.length) : undefined;
}

/** Percentage of new requests beside a candidate's: as much, and at most half of what it leaves, so that stable is there to fall back on. */
export function shareBeside(weight: number): number {
  return Math.max(0, Math.min(weight, (100 - weight) / 2));
}

/** Fresh instances for a candidate with this share on so many instances: each with as much to do as one of the candidate's. */
export function baselineFor(weight: number, candidates: number): number {
  return weight <= 0 || weight >= 100 ? 0 : Math.max(1, Math.ceil((candidates * shareBeside(weight)) / weight - 1e-9));
}

/** How many are wanted now: what the stage needs, and what the share that is in force needs until then. */
export function wantedBaseline(state: ServiceState): number {
  if (!state.candidate || !usesBaseline(state)) return 0;
  const course = { ...newCourse, ...state.candidate.course };
  const upcoming = baselineFor(stageOf(state, course).weight, capacityAt(state, course.stage));
  return Math.max(upcoming, baselineFor(course.weight, capacityAt(state, Math.max(0, course.stage - 1))));
}

/** How many must serve before the stage may come into force. */
export function neededBaseline(state: ServiceState): number {
  const course = { ...newCourse, ...state.candidate?.course };
  return usesBaseline(state) ? baselineFor(stageOf(state, course).weight, capacityAt(state, course.stage)) : 0;
}
