import { conclude } from './conclude.ts';
import { advanceInstances, retire, type Advanced } from './instance-lifecycle.ts';
import { byUsefulness, isServing, mayAnswer, withNewInstances, withoutIdle } from './placement.ts';
import { completeRollout, failRollout, recordProgress } from './rollout-outcome.ts';
import { isPublishedIdle } from './service-route.ts';
import { isLive, targetGeneration, type Instance, type ServiceState } from './service-state.ts';
import { waitedFor, type Observation, type Strategy } from './strategy.ts';

/**
 * Replaces instances a few at a time: new ones start within `max_surge`, and an old one is taken away only while enough instances are
 * ready AND known to the gateway (`max_unavailable`). Scaling and going back after a failure are the same movement with another target.
 */
export const rolling: Strategy = (given, observation, now) => {
  const state = withoutCourse(given);
  const advanced = advanceInstances(withoutIdle(state, observation, now), observation, now);
  const judged = judge(advanced.state, observation, now);
  const moved = move(judged.state, observation, now);
  return conclude({ state: moved, events: [...advanced.events, ...judged.events] }, observation, now);
};

/** A candidate that began by stages and goes on without them gets requests by its instances from now on. */
function withoutCourse(state: ServiceState): ServiceState {
  if (!state.candidate?.course) return state;
  const { course: _, ...candidate } = state.candidate;
  return { ...state, candidate };
}

function judge(state: ServiceState, observation: Observation, now: number): Advanced {
  const { candidate } = state;
  if (!candidate) return { state, events: [] };
  const mine = state.instances.filter((instance) => instance.generation === candidate.generation && isLive(instance));
  const old = state.instances.filter((instance) => instance.generation !== candidate.generation && isLive(instance));
  const serving = mine.filter((instance) => isServing(instance, observation)).length;
  const looping = mine.find(({ phase }) => phase === 'crash_looping');
  if (looping)
    return failRollout(state, `its instance ${looping.id} keeps failing: it ${looping.reason ?? 'ended'}`, { instance: looping.id });
  if (old.length === 0 && serving >= state.replicas) return completeRollout(state);
  const progressed = recordProgress(state, { measure: serving - old.length, serving }, now);
  if (candidate.paused) return progressed;
  const waited = waitedFor(progressed.state.candidate?.progressAt ?? now, observation, now);
  if (waited < state.settings.rollout.progressDeadlineMs) return progressed;
  const stuck = mine.find((instance) => !isServing(instance, observation));
  const why = stuck?.reason === undefined ? '' : `: ${stuck.id} ${stuck.reason}`;
  return failRollout(state, `it made no progress for ${Math.round(waited / 1_000)} s${why}`, { instance: stuck?.id });
}

function move(state: ServiceState, observation: Observation, now: number): ServiceState {
  if (state.candidate?.paused) return state;
  const target = targetGeneration(state);
  const wanted = target === undefined ? 0 : state.replicas;
  const { maxSurge, maxUnavailable } = state.settings.rollout;
  const mine = state.instances.filter((instance) => instance.generation === target && isLive(instance));
  // What is only kept ready is no capacity: it is in nobody's way and carries nothing.
  const spare = (instance: Instance): boolean =>
    instance.generation !== target && instance.generation !== state.stable && isPublishedIdle(observation.published, instance);
  const old = state.instances.filter((instance) => instance.generation !== target && isLive(instance) && !spare(instance));
  const starting = Math.max(0, Math.min(wanted - mine.length, wanted + (old.length > 0 ? maxSurge : 0) - mine.length - old.length));
  const floor = wanted - (old.length > 0 ? maxUnavailable : 0);

  const retired = new Set<string>();
  let serving = state.instances.filter((instance) => isServing(instance, observation) && !spare(instance)).length;
  let answering = [...mine, ...old].filter(mayAnswer).length;
  const surplus = mine.toSorted(byUsefulness(observation)).slice(wanted);
  for (const instance of [...old.toSorted(byUsefulness(observation)), ...surplus].toReversed()) {
    const serves = isServing(instance, observation);
    if (serves && serving - 1 < floor) continue;
    // While it is not known whom the gateway sends to, everyone who answers may be the one.
    if (mayAnswer(instance) && (observation.published === undefined || answering - 1 < floor)) continue;
    if (serves) serving -= 1;
    if (mayAnswer(instance)) answering -= 1;
    retired.add(instance.id);
  }
  const leaves = (instance: Instance): boolean => retired.has(instance.id) || (isLive(instance) && spare(instance));
  const instances = state.instances.map((instance) => (leaves(instance) ? retire(instance, observation, now) : instance));
  return withNewInstances({ ...state, instances }, target, starting, now);
}
