import type { Problem } from '../errors/sluice-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import { mapLimited } from './limited.ts';
import type { VersionedState } from './states.ts';

/** The plan with a note for all that deletions and replacements take with them. A provider that cannot tell keeps no plan from being made. */
export async function withLosses(plan: Plan, states: ReadonlyMap<string, VersionedState>, providers: ProviderRegistry): Promise<Plan> {
  const lost = plan.changes.filter(({ action }) => action === 'delete' || action === 'replace');
  const notes = await mapLimited(lost, 16, async ({ address, from }): Promise<readonly Problem[]> => {
    const state = states.get(from ?? address)?.state;
    const provider = state && providers.providerFor(state.kind, state.provider);
    return (state && (await provider?.lossOf?.(state).catch(() => undefined))) ?? [];
  });
  const problems = notes.flat();
  return problems.length === 0 ? plan : { ...plan, problems: [...plan.problems, ...problems] };
}
