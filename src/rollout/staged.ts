import { conclude } from './conclude.ts';
import { groupOf, isBaseline, neededBaseline, wantedBaseline } from './baseline.ts';
import { foldCopies } from './copies-evidence.ts';
import { capacityAt, capacityFor, hasStages, stageOf, stagesOf } from './course.ts';
import { type Course, newCourse } from './course-state.ts';
import { foldEvidence } from './course-evidence.ts';
import { decidingVerdict } from './course-verdict.ts';
import { runningExperiment, stagedShares } from './experiment/arms.ts';
import { withPromotedArm } from './experiment/promote-arm.ts';
import { type ExperimentStep, isExperimenting, stepExperiment } from './experiment/step-experiment.ts';
import { findingsInWords } from './evidence/words.ts';
import { waitForHooks, withHookAnswers } from './hooks/gate.ts';
import { withoutHold } from './hooks/held-back.ts';
import { dueHooks } from './hooks/stage-hooks.ts';
import { advanceInstances, type Advanced, retire } from './instance-lifecycle.ts';
import { copiesAlike, shareInWords } from './mirroring.ts';
import { byUsefulness, isServing, mayAnswer, withNewInstances, withoutIdle } from './placement.ts';
import { rolling } from './rolling.ts';
import { completeRollout, failRollout, holdRollout as held, recordProgress, rolloutEvent, waitsForApproval } from './rollout-outcome.ts';
import { shareOf } from './service-route.ts';
import { smokeCommands } from './smoke.ts';
import { isLive, type Candidate, type Instance, type ServiceState } from './service-state.ts';
import { evidenceAtEnd, foldSources, heldForEvidence, measureCommands, recovered } from './stage-evidence.ts';
import { waitedFor, type Observation, type Strategy } from './strategy.ts';

const evidenceMs = 1_000;
/** An answer may have reached another control plane. */
const hookMs = 1_000;
/** Shares of several releases add up to a hundred but for this. */
const roundingError = 1e-6;

/**
 * The way of canary and blue/green: stable keeps all its instances while the candidate gets its share stage by stage, each only once the
 * capacity for it is ready and known to the gateway. Stable goes, or stays for an instant return, when the candidate serves everything.
 */
export const staged: Strategy = (given, observation, now) => {
  const state = withoutHold(given);
  const begun = advanceInstances(withDeadline(withoutIdle(state, observation, now), now), observation, now);
  const advanced = withHookAnswers(begun, observation.hooks, now);
  const { candidate } = advanced.state;
  if (candidate && !hasStages(advanced.state)) return rolling(given, observation, now);
  const judged = candidate
    ? judge(advanced.state, courseOf(advanced.state, candidate), observation, now)
    : { state: advanced.state, events: [] };
  const placed = place(judged.state, observation, now);
  const result = conclude({ state: placed, events: [...advanced.events, ...judged.events] }, observation, now);
  const smoke = [...smokeCommands(placed, observation), ...measureCommands(placed, now)];
  const wakeAt = Math.min(result.wakeAt ?? Number.POSITIVE_INFINITY, nextLook(placed, now));
  return { ...result, commands: [...result.commands, ...smoke], ...(Number.isFinite(wakeAt) && { wakeAt }) };
};

/** A stage whose share was declared anew is not in force. */
function courseOf(state: ServiceState, candidate: Candidate): Course {
  const { inForceSince, ...course } = { ...newCourse, ...candidate.course };
  const { weight, mirror } = stageOf(state, course);
  const isInForce = inForceSince !== undefined && course.weight === weight && copiesAlike(course.mirror, mirror);
  return isInForce ? { ...course, inForceSince } : course;
}

/** One that is to be brought into force again has its full time for it. */
function withDeadline(state: ServiceState, now: number): ServiceState {
  const { candidate } = state;
  if (candidate?.course?.inForceSince === undefined || !hasStages(state)) return state;
  return courseOf(state, candidate).inForceSince === undefined ? { ...state, candidate: { ...candidate, progressAt: now } } : state;
}

function judge(state: ServiceState, course: Course, observation: Observation, now: number): Advanced {
  // Where there is to be no instance, nothing can be shown to be as it should, and nobody waits for it.
  if (state.replicas === 0) return { state: withCourse(state, course), events: [] };
  const candidate = state.candidate as Candidate;
  const stage = stageOf(state, course);
  if (isExperimenting(state, course, stage)) return afterStep(stepExperiment(state, course, stage, observation, now), course.stage, now);
  const mine = state.instances.filter((instance) => instance.generation === candidate.generation && isLive(instance));
  const looping = mine.find(({ phase }) => phase === 'crash_looping');
  if (looping)
    return failRollout(state, `its instance ${looping.id} keeps failing: it ${looping.reason ?? 'ended'}`, { instance: looping.id });
  const counted = foldCopies(state, foldEvidence(state, course, observation.evidence), observation.evidence);
  const folded = foldSources(state, counted, observation.measurements);
  const seen = withCourse(state, folded);
  const found = decidingVerdict(state, folded);
  if (found?.verdict === 'fail') {
    const why = `${found.because}: ${findingsInWords(found)}`;
    return state.settings.rollout.onFailure === 'hold' ? held(seen, why, now) : failRollout(seen, why, { withdrawn: true });
  }
  if (found?.verdict === 'error') return heldForEvidence(held(seen, found.because, now), found, folded);
  if (candidate.paused) return recovered(seen, now);
  const beside = state.instances.filter((instance) => isBaseline(state, instance) && isLive(instance));
  const failing = beside.find(({ phase }) => phase === 'crash_looping');
  if (failing) return held(seen, `${failing.id}, a fresh instance of stable, keeps failing: it ${failing.reason ?? 'ended'}`, now);
  if (folded.inForceSince !== undefined) return goOn(seen, folded, observation, now);
  const serves = (instance: Instance): boolean => isServing(instance, observation);
  const ready: Ready = {
    serving: mine.filter(serves).length,
    beside: beside.filter(serves).length,
    stuck: [...mine, ...beside].find((instance) => !serves(instance)),
  };
  return bringIntoForce(seen, folded, ready, observation, now);
}

/** A stage counts for more than all instances. */
const progressOfStage = 10_000;

/** What the next stage can count on: instances of the candidate, and fresh ones of stable to compare it with. */
interface Ready {
  readonly serving: number;
  readonly beside: number;
  readonly stuck: Instance | undefined;
}

/** Holds where an experiment waits for somebody, and goes on with the arm that has won it. */
function afterStep({ hold, promote, ...advanced }: ExperimentStep, stage: number, now: number): Advanced {
  if (promote !== undefined) return { ...advanced, state: withStage(withPromotedArm(advanced.state, promote), stage + 1, now) };
  if (hold === undefined) return advanced;
  const waiting = held(advanced.state, hold, now);
  return { state: waiting.state, events: [...advanced.events, ...waiting.events] };
}

/** Capacity first, then a smoke check, then the share; the stage is in force once the gateway sends it. */
function bringIntoForce(
  state: ServiceState,
  course: Course,
  { serving, beside, stuck }: Ready,
  observation: Observation,
  now: number,
): Advanced {
  const candidate = state.candidate as Candidate;
  const stage = stageOf(state, course);
  const { weight, mirror } = stage;
  const hasCapacity = serving >= capacityAt(state, course.stage) && beside >= neededBaseline(state);
  if (hasCapacity && observation.smoke?.outcome === 'failed' && course.smokePassed !== true) {
    return failRollout(state, `its smoke check failed: ${observation.smoke.reason}`, { instance: stuck?.id, withdrawn: true });
  }
  const isAsked = state.settings.rollout.smoke !== undefined;
  const hasPassed = isAsked && (course.smokePassed === true || observation.smoke?.outcome === 'passed');
  const known: Course = { ...course, ...(hasPassed && { smokePassed: true }) };
  const waits = hasCapacity && (hasPassed || !isAsked) && waitForHooks(withCourse(state, known), 'before', now);
  if (waits) return waits;
  const { mirror: _, ...rest } = known;
  const mayBegin = hasCapacity && (hasPassed || !isAsked);
  const prepared: Course = mayBegin ? { ...rest, weight, ...(mirror && { mirror }) } : known;
  // A share of nothing has been asked of the gateway before anything stands ready for it.
  const isPrepared = mayBegin && prepared.weight === weight && copiesAlike(prepared.mirror, mirror);
  const isCopied = copiesAlike(observation.published?.mirror, mirror);
  const sent = shareOf(observation.published, state, candidate.generation);
  // Where stable cannot answer at all, the candidate has everything, whatever is asked for it.
  const isSent = sent > weight - roundingError && (sent < weight + roundingError || sent > 100 - roundingError);
  if (isPrepared && isCopied && isSent) {
    const event = rolloutEvent(state, candidate.generation, 'rollout.progressed', `gets ${shareInWords(stage)} of the requests`);
    const next = withCourse(state, { ...prepared, inForceSince: now });
    return { state: { ...next, candidate: { ...(next.candidate as Candidate), progressAt: now } }, events: [event] };
  }
  const ready = serving + beside;
  // Another stage for which no instance had to start.
  const isKnown = candidate.progress % progressOfStage === ready;
  const measure = course.stage * progressOfStage + ready;
  const progressed = recordProgress(withCourse(state, prepared), { measure, serving, isKnown }, now);
  const waited = waitedFor(progressed.state.candidate?.progressAt ?? now, observation, now);
  if (waited < state.settings.rollout.progressDeadlineMs) return progressed;
  const why = stuck?.reason === undefined ? '' : `: ${stuck.id} ${stuck.reason}`;
  return failRollout(state, `it made no progress for ${Math.round(waited / 1_000)} s${why}`, { instance: stuck?.id });
}

/** The stage is in force: whether it has lasted long enough, was agreed to, and has been judged by enough. */
function goOn(state: ServiceState, course: Course, observation: Observation, now: number): Advanced {
  const { forMs, approval } = stageOf(state, course);
  const isLast = course.stage === stagesOf(state).length - 1;
  const isDue = course.approved === true || now >= (course.inForceSince ?? now) + forMs;
  const waits = (isDue || approval) && waitForHooks(state, 'after', now);
  if (waits) return waits;
  const end = evidenceAtEnd(state, course, now, observation);
  if (isLast && isDue && end.way === 'on' && (!approval || course.approved === true)) return complete(state, now);
  if (approval) return held(state, waitsForApproval, now);
  if (!isDue || end.way === 'stay') return { state, events: [] };
  if (end.way === 'back') {
    const seen = decidingVerdict(state, course);
    return failRollout(state, seen ? `${end.why}: ${findingsInWords(seen)}` : end.why, { withdrawn: true });
  }
  return { state: withStage(state, course.stage + 1, now), events: [] };
}

function complete(state: ServiceState, now: number): Advanced {
  const { stable, settings } = state;
  const { keepPreviousMs } = settings.rollout;
  const completed = completeRollout(state);
  if (stable === undefined || keepPreviousMs === undefined || keepPreviousMs === 0) return completed;
  return { ...completed, state: { ...completed.state, previous: { generation: stable, until: now + keepPreviousMs } } };
}

/** The state with the candidate at a stage that is yet to be brought into force. */
export function withStage(state: ServiceState, stage: number, now: number): ServiceState {
  const { candidate } = state;
  if (!candidate) return state;
  const { inForceSince: _, approved: __, ...course } = { ...newCourse, ...candidate.course };
  const { paused: ___, ...going } = candidate;
  return { ...state, candidate: { ...going, progressAt: now, course: { ...course, stage: Math.min(stage, stagesOf(state).length - 1) } } };
}

function withCourse(state: ServiceState, course: Course): ServiceState {
  return state.candidate ? { ...state, candidate: { ...state.candidate, course } } : state;
}

/** Adds what is missing of each generation that is wanted, and takes away what is not once stable suffices without it. */
function place(state: ServiceState, observation: Observation, now: number): ServiceState {
  const { candidate, stable, previous, replicas } = state;
  const wanted = new Map<Group, number>();
  if (previous) wanted.set(previous.generation, replicas);
  const course = { ...newCourse, ...candidate?.course };
  const each = runningExperiment(course) ? capacityFor(stageOf(state, course).weight, state) : capacityAt(state, course.stage);
  for (const { generation } of stagedShares(state, course)) wanted.set(generation, each);
  if (stable !== undefined) wanted.set(stable, replicas);
  wanted.set('baseline', wantedBaseline(state));
  let next = state;
  for (const [group, count] of wanted) {
    const missing = count - state.instances.filter((instance) => groupOf(state, instance) === group && isLive(instance)).length;
    if (group === 'baseline') next = withNewInstances(next, stable, missing, now, candidate && { baseline: candidate.generation });
    // A set that is only kept is not made anew.
    else if (group !== previous?.generation) next = withNewInstances(next, group, missing, now);
  }
  const leaving = new Set(surplus(next, wanted, observation));
  return {
    ...next,
    instances: next.instances.map((instance) => (leaving.has(instance.id) ? retire(instance, observation, now) : instance)),
  };
}

type Group = ReturnType<typeof groupOf>;

function surplus(state: ServiceState, wanted: ReadonlyMap<Group, number>, observation: Observation): string[] {
  const stable = state.instances.filter((instance) => groupOf(state, instance) === state.stable);
  const suffices = state.stable === undefined || stable.filter((instance) => isServing(instance, observation)).length >= state.replicas;
  const found: string[] = [];
  for (const group of new Set(state.instances.map((instance) => groupOf(state, instance)))) {
    const live = state.instances.filter((instance) => groupOf(state, instance) === group && isLive(instance));
    const extra = live.toSorted(byUsefulness(observation)).slice(wanted.get(group) ?? 0);
    // What no longer belongs may be what answers while stable is not whole.
    for (const instance of extra) if (suffices || !mayAnswer(instance)) found.push(instance.id);
  }
  return found;
}

/** When there is something to look at although nothing has happened. */
function nextLook(state: ServiceState, now: number): number {
  const { candidate, previous, settings } = state;
  const times = [previous?.until ?? Number.POSITIVE_INFINITY];
  const course = candidate?.course;
  if (dueHooks(state).length > 0) times.push(now + hookMs);
  const isMet = (course?.weight ?? 0) > 0 || course?.mirror !== undefined;
  // The share of before is looked at too, while the next one is prepared or it is held.
  if (settings.rollout.analysis && (isMet || course?.inForceSince !== undefined)) times.push(now + evidenceMs);
  if (course?.inForceSince !== undefined) {
    const ends = course.inForceSince + stageOf(state, course).forMs;
    if (ends > now) times.push(ends);
  }
  return Math.min(...times.filter((time) => time > now));
}
