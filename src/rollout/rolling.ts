import { conclude } from './conclude.ts';
import { roomToMove } from '../stack/fields/allowance.ts';
import { advanceInstances, retire, type Advanced } from './instance-lifecycle.ts';
import { byUsefulness, isServing, mayAnswer, withNewInstances, withoutIdle } from './placement.ts';
import { replacesAnother } from './course.ts';
import { isLeftBehind } from './left-behind.ts';
import { waitForHooks, withHookAnswers } from './hooks/gate.ts';
import { letGo, withPlaceForHooks } from './hooks/held-back.ts';
import { dueHooks, hooksAt } from './hooks/stage-hooks.ts';
import { completeRollout, failRollout, recordProgress } from './rollout-outcome.ts';
import { isPublishedIdle } from './service-route.ts';
import { isLive, targetGeneration, type Instance, type ServiceState } from './service-state.ts';
import { waitedFor, type Observation, type Strategy } from './strategy.ts';

/** How often an answer is looked for. */
const hookMs = 1_000;

/**
 * Replaces instances a few at a time: new ones start within `max_surge`, and an old one is taken away only while enough instances are
 * ready AND known to the gateway (`max_unavailable`). Scaling and going back after a failure are the same movement with another target.
 */
export const rolling: Strategy = (given, observation, now) => {
  const state = withPlaceForHooks(given);
  const begun = advanceInstances(withoutIdle(state, observation, now), observation, now);
  const advanced = withHookAnswers(begun, observation.hooks, now);
  const judged = judge(advanced.state, observation, now);
  const moved = move(judged.state, observation, now);
  const result = conclude({ state: moved, events: [...advanced.events, ...judged.events] }, observation, now);
  // An answer may have reached another control plane.
  return dueHooks(moved).length === 0 ? result : { ...result, wakeAt: Math.min(result.wakeAt ?? Number.POSITIVE_INFINITY, now + hookMs) };
};

function judge(state: ServiceState, observation: Observation, now: number): Advanced {
  const { candidate } = state;
  if (!candidate) return { state, events: [] };
  const mine = state.instances.filter((instance) => instance.generation === candidate.generation && isLive(instance));
  const old = state.instances.filter((instance) => instance.generation !== candidate.generation && isLive(instance));
  const serving = mine.filter((instance) => isServing(instance, observation)).length;
  const looping = mine.find(({ phase }) => phase === 'crash_looping');
  const withdrawn = candidate.heldBack === true;
  if (looping) {
    const why = `its instance ${looping.id} keeps failing: it ${looping.reason ?? 'ended'}`;
    return failRollout(state, why, { instance: looping.id, withdrawn });
  }
  const gate = gateOf(state, { hasCome: old.length === 0 && serving >= state.replicas, hasFirst: serving > 0 });
  const isClosed = gate !== undefined && candidate.paused !== undefined;
  const waits = gate && !isClosed ? waitForHooks(state, gate, now) : undefined;
  if (waits) return waits;
  if (gate === 'before' && !isClosed) {
    return { state: letGo({ ...state, candidate: { ...candidate, heldBack: false, progressAt: now } }), events: [] };
  }
  if (old.length === 0 && serving >= state.replicas && !isClosed) return completeRollout(state);
  const progressed = recordProgress(state, { measure: serving - old.length, serving }, now);
  if (candidate.paused) return progressed;
  const waited = waitedFor(progressed.state.candidate?.progressAt ?? now, observation, now);
  if (waited < state.settings.rollout.progressDeadlineMs) return progressed;
  const stuck = mine.find((instance) => !isServing(instance, observation));
  const why = stuck?.reason === undefined ? '' : `: ${stuck.id} ${stuck.reason}`;
  return failRollout(state, `it made no progress for ${Math.round(waited / 1_000)} s${why}`, { instance: stuck?.id, withdrawn });
}

/** The hooks a candidate has come to: those before its first request, or those before it is completed; undefined between them. */
function gateOf(state: ServiceState, { hasFirst, hasCome }: { hasFirst: boolean; hasCome: boolean }): 'before' | 'after' | undefined {
  if (state.candidate?.heldBack === true) return hasFirst ? 'before' : undefined;
  return hasCome && replacesAnother(state) && hooksAt(state, 0, 'after').length > 0 ? 'after' : undefined;
}

function move(state: ServiceState, observation: Observation, now: number): ServiceState {
  if (state.candidate?.paused) return state;
  const target = targetGeneration(state);
  const wanted = target === undefined ? 0 : state.replicas;
  const { maxSurge, maxUnavailable } = state.settings.rollout;
  const { surge, unavailable } = roomToMove(maxSurge, maxUnavailable, state.replicas);
  const mine = state.instances.filter((instance) => instance.generation === target && isLive(instance));
  // What is only kept ready, or was left behind, is no capacity: it is in nobody's way and carries nothing.
  const isIdle = (instance: Instance): boolean =>
    instance.generation !== target && instance.generation !== state.stable && isPublishedIdle(observation.published, instance);
  const isLeft = ({ generation }: Instance): boolean => wanted > 0 && isLeftBehind(state, generation);
  const spare = (instance: Instance): boolean => isLeft(instance) || isIdle(instance);
  const old = state.instances.filter((instance) => instance.generation !== target && isLive(instance) && !spare(instance));
  const starting = Math.max(0, Math.min(wanted - mine.length, wanted + (old.length > 0 ? surge : 0) - mine.length - old.length));
  const floor = wanted - (old.length > 0 ? unavailable : 0);

  const retired = new Set<string>();
  const carries = (instance: Instance): boolean => instance.heldBack !== true && isServing(instance, observation);
  let serving = state.instances.filter((instance) => carries(instance) && !spare(instance)).length;
  let answering = [...mine, ...old].filter((instance) => instance.heldBack !== true && mayAnswer(instance)).length;
  const surplus = mine.toSorted(byUsefulness(observation)).slice(wanted);
  for (const instance of [...old.toSorted(byUsefulness(observation)), ...surplus].toReversed()) {
    const serves = carries(instance);
    if (serves && serving - 1 < floor) continue;
    // While it is not known whom the gateway sends to, everyone who answers may be the one.
    const answers = instance.heldBack !== true && mayAnswer(instance);
    if (answers && (observation.published === undefined || answering - 1 < floor)) continue;
    if (serves) serving -= 1;
    if (answers) answering -= 1;
    retired.add(instance.id);
  }
  // One that was left behind may be all that answers, until the gateway is known to send to others.
  const isFree = (instance: Instance): boolean => isIdle(instance) || (isLeft(instance) && !mayAnswer(instance));
  const leaves = (instance: Instance): boolean => retired.has(instance.id) || (isLive(instance) && isFree(instance));
  const instances = state.instances.map((instance) => (leaves(instance) ? retire(instance, observation, now) : instance));
  const mark = state.candidate?.heldBack === true ? { heldBack: true as const } : {};
  return withNewInstances({ ...state, instances }, target, starting, now, mark);
}
