import { newCourse } from '../course-state.ts';
import { replacesAnother } from '../course.ts';
import { revisionOf, type Instance, type ServiceState } from '../service-state.ts';
import { hooksAt } from './stage-hooks.ts';

/*
 * A candidate that is rolled gets requests by its instances. One that somebody is to agree to before its first request has instances that
 * are marked: they stand ready, reached by name, and count for nothing until the mark is taken from them. The mark goes with the instance,
 * so that those of a candidate that was superseded before anybody agreed never get a request either.
 */

/**
 * Where a candidate that is rolled keeps what becomes of its hooks: of one that began by stages, no more is left of its course. It is held
 * back while there is somebody to ask before its first request, unless it has had one. Pure.
 */
export function withPlaceForHooks(state: ServiceState): ServiceState {
  const { candidate, settings } = state;
  if (!candidate) return state;
  const { course, heldBack, ...rest } = candidate;
  if (!settings.rollout.hooks || !replacesAnother(state)) return letGo({ ...state, candidate: rest });
  const hasBegun = course ? course.weight > 0 : state.instances.some(({ generation }) => generation === candidate.generation);
  const isHeldBack = hooksAt(state, 0, 'before').length > 0 && (heldBack ?? !hasBegun);
  const kept = { ...newCourse, ...(course?.hooks && { hooks: course.hooks }) };
  const next: ServiceState = { ...state, candidate: { ...rest, course: kept, heldBack: isHeldBack } };
  return isHeldBack ? marked(next) : letGo(next);
}

/** One that goes by stages gets its share by them: nothing of it is held back otherwise. */
export function withoutHold(state: ServiceState): ServiceState {
  if (state.candidate?.heldBack === undefined) return state;
  const { heldBack: _, ...candidate } = state.candidate;
  return letGo({ ...state, candidate });
}

/** Instances of the candidate may get requests from now on. */
export function letGo(state: ServiceState): ServiceState {
  return changed(state, (instance) => {
    if (instance.heldBack !== true) return instance;
    const { heldBack: _, ...free } = instance;
    return free;
  });
}

/**
 * The gateway knows instances by their release: one of a superseded rollout of the same release that got requests would draw them to those
 * that wait for an agreement. So it is marked with them, as long as the release in use may answer instead.
 */
function marked(state: ServiceState): ServiceState {
  const releaseOf = (generation: number | undefined): string | undefined => revisionOf(state, generation)?.release;
  const { candidate, stable } = state;
  const isAnswered = state.instances.some(({ generation, phase }) => generation === stable && (phase === 'ready' || phase === 'unready'));
  const isOfRelease = ({ generation }: Instance): boolean => isAnswered && releaseOf(generation) === releaseOf(candidate?.generation);
  return changed(
    state,
    (instance) => (instance.heldBack === true ? instance : { ...instance, heldBack: true }),
    (instance) => instance.generation === candidate?.generation || isOfRelease(instance),
  );
}

function changed(
  state: ServiceState,
  change: (instance: Instance) => Instance,
  isMeant = ({ generation }: Instance): boolean => generation === state.candidate?.generation,
): ServiceState {
  const instances = state.instances.map((instance) => (isMeant(instance) ? change(instance) : instance));
  return instances.every((instance, index) => instance === state.instances[index]) ? state : { ...state, instances };
}
