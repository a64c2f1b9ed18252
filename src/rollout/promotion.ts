import { sluiceError } from '../errors/sluice-error.ts';
import { stagesOf } from './course.ts';
import { newCourse } from './course-state.ts';
import { originOf } from './experiment/arms.ts';
import { revisionOf, type ServiceState } from './service-state.ts';

/** What somebody saw who promotes: a promotion that is sent twice, or by two people, is then one. */
export interface SeenStage {
  /** Id of the candidate. */
  readonly release: string;
  /** Counts from 1, as it is shown. */
  readonly stage: number;
}

/**
 * Whether a promotion has been carried out already: its stage is over, or its release is in use. Throws `rollout_moved_on` when what was
 * seen is not what is there: another candidate, or the same one begun anew. Pure.
 */
export function isPromoted(state: ServiceState, seen: SeenStage, full: boolean): boolean {
  const { candidate, stable } = state;
  if (!candidate) return revisionOf(state, stable)?.release === seen.release || state.chosen?.of === seen.release;
  const release = revisionOf(state, candidate.generation)?.release ?? '';
  // An arm of its experiment may go on in its place.
  const isSeen = release === seen.release || revisionOf(state, originOf(candidate))?.release === seen.release;
  const stage = Math.min({ ...newCourse, ...candidate.course }.stage, stagesOf(state).length - 1) + 1;
  if (!isSeen || stage < seen.stage) {
    throw sluiceError('rollout_moved_on', { service: state.address, release, stage, seen: `${seen.release} at stage ${seen.stage}` });
  }
  // The whole is the whole, from whichever stage it is asked for.
  return !full && stage > seen.stage;
}
