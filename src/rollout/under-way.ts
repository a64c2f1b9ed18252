import type { ServiceRoute } from '../gateway/routing-table.ts';
import { hasStages } from './course.ts';
import { originOf } from './experiment/arms.ts';
import { dueHooks } from './hooks/stage-hooks.ts';
import { revisionOf, type ServiceState } from './service-state.ts';
import { type Settlement, settlementOf } from './service-status.ts';

/**
 * Whether what is left of a rollout needs nobody, and no one has to wait for it: one by stages from its beginning, as stable serves all the
 * while and a later release supersedes it; one that replaces instances when nothing else in the run comes after it, or when somebody has
 * to answer before it goes on. A first release is the work of the run: without it there is nothing.
 */
export function isUnderWay(state: ServiceState, isAwaited: boolean): boolean {
  const { candidate } = state;
  if (!candidate || state.mode !== 'running' || state.stable === undefined) return false;
  return hasStages(state) || !isAwaited || candidate.paused !== undefined || dueHooks(state).length > 0;
}

/** As `settlementOf`, and `under way` once the rollout is. */
export function begunOf(
  isAwaited: boolean,
): (state: ServiceState | undefined, published: ServiceRoute | undefined) => Settlement | undefined {
  return (state, published) =>
    settlementOf(state, published) ?? (state && isUnderWay(state, isAwaited) ? { outcome: 'under way' } : undefined);
}

/** Where the way of one generation has ended, whatever else happens to the service; undefined while it goes on. */
export function endOf(
  generation: number,
): (state: ServiceState | undefined, published: ServiceRoute | undefined) => Settlement | undefined {
  return (state, published) => {
    const isOnItsWay = state?.candidate !== undefined && originOf(state.candidate) === generation;
    if (!state || state.mode !== 'running' || isOnItsWay) return settlementOf(state, published);
    // Another one is on its way already; this one, or an arm of its experiment, came into use before.
    if (state.stable === generation || state.chosen?.began === generation)
      return state.candidate ? { outcome: 'ready' } : settlementOf(state, published);
    if (state.failure?.generation !== generation && state.failure?.began !== generation) return { outcome: 'superseded' };
    const { reason, log = '' } = state.failure;
    return { outcome: 'failed', generation, reason, log };
  };
}

/** Id of the release in use. */
export function stableRelease(state: ServiceState): string | undefined {
  return revisionOf(state, state.stable)?.release;
}
