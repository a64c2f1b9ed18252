import type { NewEvent } from '../telemetry/events.ts';
import { shownVerdict } from './course-verdict.ts';
import type { Advanced } from './instance-lifecycle.ts';
import { leftBehind } from './left-behind.ts';
import { type Candidate, contentOf, type FormerRelease, revisionOf, type ServiceState } from './service-state.ts';
import { treatmentOfStable } from './treatment.ts';

/** Releases of a service that can be returned to; with stable they are ten, and each stays startable. */
const mostReleases = 9;

/** Why a candidate is held whose stage lasts until somebody agrees. */
export const waitsForApproval = 'waits for approval';

/** Remembers that the rollout came nearer to its end; `measure` grows with every step towards it. `isKnown`: as many instances were ready before. */
export function recordProgress(
  state: ServiceState,
  { measure, serving, isKnown = false }: { readonly measure: number; readonly serving: number; readonly isKnown?: boolean },
  now: number,
): Advanced {
  const { candidate } = state;
  if (!candidate || measure <= candidate.progress) return { state, events: [] };
  const event = rolloutEvent(state, candidate.generation, 'rollout.progressed', `${serving}/${state.replicas} instances ready`);
  const next = { ...state, candidate: { ...candidate, progress: measure, progressAt: now } };
  return { state: next, events: serving > 0 && !isKnown ? [event] : [] };
}

/** The candidate is the stable revision from now on. */
export function completeRollout(state: ServiceState): Advanced {
  const { candidate, failure: _, stableTreatment: __, ...rest } = state;
  if (!candidate) return { state, events: [] };
  const event = rolloutEvent(state, candidate.generation, 'rollout.completed', 'is in use');
  const history = historyWith(state, candidate.generation);
  return { state: { ...withChosen(rest, candidate), stable: candidate.generation, history }, events: [event] };
}

/** Remembers which arm of an experiment came into use in the place of what is declared. */
function withChosen(given: Omit<ServiceState, 'candidate' | 'failure'>, candidate: Candidate): ServiceState {
  const { chosen: _, ...state } = given;
  const { arm, began } = candidate;
  const [release, of] = [candidate.generation, began].map((generation) => revisionOf(state, generation)?.release);
  return {
    ...state,
    ...(arm !== undefined && began !== undefined && release !== undefined && of !== undefined && { chosen: { arm, began, release, of } }),
  };
}

/** The release that goes first, without the one that comes. */
function historyWith(state: ServiceState, next: number): readonly FormerRelease[] {
  const content = contentOf(state, state.stable);
  const left = content && { ...content, treatment: treatmentOfStable(state) };
  const releases = new Set([revisionOf(state, next)?.release]);
  const entries: FormerRelease[] = [];
  for (const former of [...(left ? [left] : []), ...(state.history ?? [])]) {
    if (releases.has(former.release)) continue;
    releases.add(former.release);
    entries.push(former);
  }
  return entries.slice(0, mostReleases);
}

/** The candidate is given up; what was stable before still is. Its instances leave once the stable ones suffice again. */
export function failRollout(
  state: ServiceState,
  reason: string,
  { instance, withdrawn }: { readonly instance?: string | undefined; readonly withdrawn?: boolean } = {},
): Advanced {
  const { candidate, ...rest } = state;
  if (!candidate) return { state, events: [] };
  const release = revisionOf(state, candidate.generation)?.release ?? '';
  const event = rolloutEvent(state, candidate.generation, 'rollout.failed', `was not taken into use: ${reason}`);
  const evidence = shownVerdict(state, candidate.course);
  const failure = {
    generation: candidate.generation,
    release,
    reason,
    ...(instance !== undefined && { instance }),
    ...(withdrawn && { withdrawn }),
    ...(candidate.began !== undefined && { began: candidate.began }),
    ...(evidence && { evidence }),
  };
  return { state: { ...rest, ...leftBehind(state), failure }, events: [{ ...event, level: 'error' }] };
}

/** The candidate stays where it is until somebody decides. One that is held already is held for its first reason. */
export function holdRollout(state: ServiceState, reason: string, now: number): Advanced {
  const candidate = state.candidate as Candidate;
  if (candidate.paused) return { state, events: [] };
  const event = rolloutEvent(state, candidate.generation, 'rollout.progressed', `is held: ${reason}`);
  return { state: { ...state, candidate: { ...candidate, paused: { reason, since: now } } }, events: [event] };
}

export function rolloutEvent(
  state: ServiceState,
  generation: number,
  type: 'rollout.started' | 'rollout.progressed' | 'rollout.completed' | 'rollout.failed',
  what: string,
): NewEvent {
  const release = revisionOf(state, generation)?.release ?? '';
  return {
    type,
    level: 'info',
    message: `${state.name}: ${release} ${what}`,
    environment: state.environment,
    address: state.address,
    data: { release, generation },
  };
}
