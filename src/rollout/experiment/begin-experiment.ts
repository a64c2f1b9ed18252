import type { Course } from '../course-state.ts';
import { type Candidate, revisionOf, type ServiceState } from '../service-state.ts';
import { type ArmCourse, plainArm } from './experiment-state.ts';

/**
 * The state with a revision for each arm, its instances yet to be made; as it is where the experiment has begun already. An arm that is
 * made of the same as stable or as another arm compares nothing and is out from the beginning.
 */
export function begunExperiment(
  state: ServiceState,
  course: Course,
  now: number,
): { readonly state: ServiceState; readonly course: Course } {
  const { candidate, arms: declared } = state;
  if (!candidate || !declared || course.experiment) return { state, course };
  const releaseOf = (at: number | undefined): string => revisionOf(state, at)?.release ?? '';
  const releases = new Map([[releaseOf(state.stable), 'control']]);
  const arms: ArmCourse[] = [];
  const revisions = [...state.revisions];
  let { generation } = state;
  const add = (arm: Omit<ArmCourse, 'withdrawn'>): void => {
    const same = releases.get(arm.release);
    if (same === undefined) releases.set(arm.release, arm.name);
    arms.push(same === undefined ? arm : { ...arm, withdrawn: { reason: `is the same release as ${same}`, at: now } });
  };
  add({ name: plainArm, generation: candidate.generation, release: releaseOf(candidate.generation), weight: course.weight });
  for (const { name, content } of declared.members) {
    generation += 1;
    revisions.push({ ...content, generation });
    add({ name, generation, release: content.release, weight: 0 });
  }
  // Copies are of a step before it.
  const { mirror: _, ...rest } = course;
  const begun: Course = { ...rest, experiment: { arms } };
  const next: Candidate = { ...candidate, course: begun, progressAt: now };
  return { state: { ...state, generation, revisions, candidate: next }, course: begun };
}
