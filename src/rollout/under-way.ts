import type { ServiceRoute } from '../gateway/routing-table.ts';
import { hasStages } from './course.ts';
import { originOf } from './experiment/arms.ts';
import { revisionOf, type ServiceState } from './service-state.ts';
import { type Settlement, settlementOf } from './service-status.ts';

/** Whether a rollout goes by stages and has come as far as it can without waiting: its first stage is in force, or somebody holds it. */
export function isUnderWay(state: ServiceState): boolean {
  const { candidate } = state;
  if (!candidate || state.mode !== 'running' || !hasStages(state)) return false;
  const { stage = 0, inForceSince } = candidate.course ?? {};
  return candidate.paused !== undefined || stage > 0 || inForceSince !== undefined;
}

/** As `settlementOf`, and `under way` once the rollout is. */
export function begunOf(state: ServiceState | undefined, published: ServiceRoute | undefined): Settlement | undefined {
  return settlementOf(state, published) ?? (state && isUnderWay(state) ? { outcome: 'under way' } : undefined);
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
