import { jsonEquals } from '../digest/json.ts';
import { masked } from '../plan/mask.ts';
import type { Drift, Observation, Provider } from '../providers/provider.ts';
import type { ResourceOutputs, ResourceState } from '../providers/resource-state.ts';
import type { Vault } from '../secrets/vault.ts';
import { openOutput } from './outputs.ts';
import { type RetryDependencies, withRetry } from './retry.ts';

/** Reads a resource. What somebody has accepted does not count as drift. */
export async function observe(
  dependencies: RetryDependencies & { readonly vault: Vault },
  provider: Provider,
  state: ResourceState,
): Promise<Observation> {
  const observation = await observeAll(dependencies, provider, state);
  if (observation.status === 'absent' || state.accepted === undefined) return observation;
  return { ...observation, drift: observation.drift.filter((drift) => !isAccepted(state, drift)) };
}

/** Whether somebody has accepted exactly this value. What cannot be shown cannot be told from something else, so it is never accepted. */
export function isAccepted({ accepted = [] }: ResourceState, { field, observed }: Drift): boolean {
  return observed !== masked && accepted.some((known) => known.field === field && jsonEquals(known.observed, observed));
}

/** Reads a resource. Outputs that are no longer those recorded count as drift, so that what depends on them hears of it. */
export async function observeAll(
  dependencies: RetryDependencies & { readonly vault: Vault },
  provider: Provider,
  state: ResourceState,
): Promise<Observation> {
  const observation = await withRetry(dependencies, () => provider.read(state));
  if (observation.status === 'absent' || observation.outputs === undefined) return observation;
  return { ...observation, drift: [...observation.drift, ...outputDrift(state.outputs, observation.outputs, dependencies.vault)] };
}

function outputDrift(applied: ResourceOutputs, observed: ResourceOutputs, vault: Vault): readonly Drift[] {
  return Object.entries(observed).flatMap(([name, output]): Drift[] => {
    const recorded = Object.hasOwn(applied, name) ? applied[name] : undefined;
    const [before, now] = [recorded === undefined ? undefined : openOutput(recorded, vault), openOutput(output, vault)];
    if (jsonEquals(before, now)) return [];
    const secret = 'sealed' in output || (recorded !== undefined && 'sealed' in recorded);
    return [{ field: `outputs.${name}`, applied: secret ? masked : (before ?? null), observed: secret ? masked : now }];
  });
}
