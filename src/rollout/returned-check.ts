import { problem, type Problem } from '../errors/sluice-error.ts';
import type { ResolvedBlock } from '../stack/stack.ts';
import { revisionOf, type ServiceState } from './service-state.ts';
import type { TakenBack } from './taken-back.ts';

/**
 * Somebody went back from the release the stack declares. No resource is changed by applying it again, so that nobody's return is undone by
 * accident; but what runs is not what is declared, and a plan that has no changes has to say so.
 */
export function checkReturned(
  block: Pick<ResolvedBlock, 'name' | 'address' | 'positionOf'>,
  state: ServiceState | undefined,
  declared: string,
): readonly Problem[] {
  const last = state?.rollouts?.find(({ outcome }) => outcome !== 'superseded');
  if (state === undefined || last === undefined || last.strategy !== 'rollback' || last.outcome !== 'completed') return [];
  if (last.from !== declared || revisionOf(state, state.stable)?.release !== last.release) return [];
  const about = { service: block.name, release: last.release, from: declared, by: last.by ?? 'somebody' };
  return [problem('service_returned', about, { position: block.positionOf('version'), address: block.address, severity: 'warning' })];
}

/** What was taken back is not tried again as it is, so that a plan that has it among its changes has to say so. */
export function checkFailedBefore(
  block: Pick<ResolvedBlock, 'name' | 'address' | 'positionOf'>,
  takenBack: TakenBack | undefined,
): readonly Problem[] {
  if (takenBack === undefined) return [];
  const place = { position: block.positionOf('version'), address: block.address, severity: 'warning' } as const;
  return [problem('release_taken_back', { service: block.name, ...takenBack }, place)];
}
