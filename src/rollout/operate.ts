import { sluiceError } from '../errors/sluice-error.ts';
import { hasStages, stagesOf } from './course.ts';
import { newCourse } from './course-state.ts';
import { overruledBy } from './course-verdict.ts';
import { withCandidate } from './desired-state.ts';
import { asksHooks, withHooksOverruled } from './hooks/gate.ts';
import { isDecided, withDecision } from './experiment/decide.ts';
import { leftBehind } from './left-behind.ts';
import { isPromoted, type SeenStage } from './promotion.ts';
import { failRollout, waitsForApproval } from './rollout-outcome.ts';
import { type Candidate, contentOf, type FormerRelease, revisionOf, type ServiceState } from './service-state.ts';
import { withStage } from './staged.ts';
import { contentOfFormer, treatedAs } from './treatment.ts';

/** What people may do to a rollout at any time. */
export type RolloutAction =
  | { readonly type: 'pause' | 'resume' | 'abort' | 'retry' }
  /**
   * To the next stage, or to the whole; with `from` only once for that stage, however often it is asked for. Of an experiment, with this arm as
   * the candidate, the plain one unless another is named.
   */
  | {
      readonly type: 'promote';
      readonly full: boolean;
      readonly arm?: string | undefined;
      readonly from?: SeenStage | undefined;
    }
  /** To a release that was in use before: the last one unless another is named. Aborts what is under way. */
  | { readonly type: 'rollback'; readonly to?: string | undefined };

/**
 * The state after an action, pure; doing it twice is doing it once, but for a promotion that does not say from which stage. Throws
 * `no_rollout` when none is under way, `rollout_waits_for_approval`, `rollout_has_no_stages`, `rollout_moved_on`, `experiment_has_no_arm`, `experiment_arm_withdrawn`,
 * `rollout_nothing_to_retry` and `release_not_kept`. `by` names who does it, and why where they say so: `ada: answers in the wrong tone`.
 */
export function operated(state: ServiceState, action: RolloutAction, by: string, now: number): ServiceState {
  switch (action.type) {
    case 'pause':
      return paused(state, by, now);
    case 'resume':
      return resumedBy(state, now);
    case 'abort':
      return aborted(state, by);
    case 'retry':
      return retried(state, now);
    case 'promote':
      return promoted(state, action, now);
    case 'rollback':
      break;
  }
  if (isReturning(state, action.to)) return state;
  if (state.candidate && action.to === undefined) return aborted(state, by);
  const content = state.history?.find(({ release }) => action.to === undefined || release === action.to);
  const stable = revisionOf(state, state.stable)?.release;
  if (state.candidate && action.to === stable) return aborted(state, by);
  if (!content) throw sluiceError('release_not_kept', { service: state.address, release: action.to ?? 'before this one' });
  return rolledBack(state, content, now);
}

/** Whether it is on its way there, or has arrived: sent twice, a return is one. */
function isReturning(state: ServiceState, to: string | undefined): boolean {
  const { candidate, stable } = state;
  if (!candidate) return to !== undefined && revisionOf(state, stable)?.release === to;
  return candidate.urgent === true && (to === undefined || revisionOf(state, candidate.generation)?.release === to);
}

function paused(state: ServiceState, by: string, now: number): ServiceState {
  const candidate = candidateOf(state);
  return candidate.paused && candidate.paused.recovers !== true
    ? state
    : { ...state, candidate: { ...candidate, paused: { reason: `paused by ${by}`, since: now } } };
}

/** An approval is given by a promotion, which says what is agreed to. */
function resumedBy(state: ServiceState, now: number): ServiceState {
  if (candidateOf(state).paused?.reason === waitsForApproval) throw sluiceError('rollout_waits_for_approval', { service: state.address });
  return going(state, now);
}

/** Goes on where it was; the time it was paused is no time without progress. */
function going(state: ServiceState, now: number): ServiceState {
  const { paused: pause, ...candidate } = candidateOf(state);
  return pause ? { ...state, candidate: { ...candidate, progressAt: now } } : state;
}

/**
 * To the next stage, or with `full` to the whole, without waiting any longer. The capacity for it still comes first. Evidence against the
 * candidate that is there already is overruled with it.
 */
function promoted(given: ServiceState, { full, from, arm }: RolloutAction & { readonly type: 'promote' }, now: number): ServiceState {
  if (from && isPromoted(given, from, full) && isDecided(given, arm)) return given;
  const { course: reached } = candidateOf(given);
  if (!hasStages(given)) {
    if (!reached || !asksHooks(given)) throw sluiceError('rollout_has_no_stages', { service: given.address });
    const goes = going(given, now);
    return { ...goes, candidate: { ...(goes.candidate as Candidate), course: withHooksOverruled(reached) } };
  }
  const state = withDecision(given, arm);
  if (state === given && arm !== undefined && !full) return given;
  const candidate = candidateOf(state);
  const { stage } = { ...newCourse, ...candidate.course };
  const last = stagesOf(state).length - 1;
  const isEnd = full || stage >= last;
  const next = stage >= last ? going(state, now) : withStage(state, full ? last : stage + 1, now);
  const overruled = overruledBy(state, { ...newCourse, ...candidate.course });
  const free = withHooksOverruled({ ...newCourse, ...next.candidate?.course });
  const course = { ...free, ...(isEnd && { approved: true }), ...overruled };
  return { ...next, candidate: { ...(next.candidate as Candidate), course } };
}

/** Back to stable at once. */
function aborted(state: ServiceState, by: string): ServiceState {
  candidateOf(state);
  // Without stages, stable may be too few by now to answer alone: the way back is then that of the way there.
  return failRollout(state, `aborted by ${by}`, { withdrawn: hasStages(state) || state.candidate?.heldBack === true }).state;
}

/** The release that failed, from the beginning. */
function retried(state: ServiceState, now: number): ServiceState {
  const content = contentOf(state, state.failure?.generation);
  if (state.candidate || !content) throw sluiceError('rollout_nothing_to_retry', { service: state.address });
  const { failure: _, ...settled } = state;
  return withCandidate(settled, content, now);
}

/**
 * To a release that was in use before. A generation that is kept ready is switched to at once; any other is started anew and replaces
 * stable as fast as capacity allows.
 */
function rolledBack(state: ServiceState, former: FormerRelease, now: number): ServiceState {
  const content = contentOfFormer(former);
  const { failure: _, candidate: __, previous: ___, ...settled } = treatedAs(state, former);
  const kept = contentOf(state, state.previous?.generation);
  if (state.previous && kept?.release === content.release) {
    const candidate: Candidate = {
      generation: state.previous.generation,
      startedAt: now,
      progressAt: now,
      progress: Number.MIN_SAFE_INTEGER,
      urgent: true,
    };
    return { ...settled, ...leftBehind(state), candidate };
  }
  const next = withCandidate({ ...settled, ...leftBehind(state) }, content, now);
  return { ...next, candidate: { ...(next.candidate as Candidate), urgent: true } };
}

function candidateOf(state: ServiceState): Candidate {
  if (!state.candidate) throw sluiceError('no_rollout', { service: state.address });
  return state.candidate;
}
