import { fingerprintAll, providersOf, type Planner } from '../engine/planner.ts';
import { digestStack, digestStates } from '../plan/digests.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { Address } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import { recordedStack } from '../engine/recorded-stack.ts';
import { loadStates } from '../engine/states.ts';
import type { DriftFinder } from '../engine/drift.ts';
import type { PlanMaker } from './plan-book.ts';

/** The planner as the plan book needs it. */
export function createPlanMaker(dependencies: {
  readonly planner: Planner;
  readonly drift: Pick<DriftFinder, 'planRepair'>;
  readonly providers: ProviderRegistry;
  readonly store: Store;
}): PlanMaker {
  const { planner, drift, providers, store } = dependencies;
  const recorded = async (environment: string): Promise<readonly { address: Address; version: number }[]> =>
    (await store.list('resources', `${environment}/`)).map(({ key, version }) => ({ address: key as Address, version }));

  /** The caller's word stands for the whole environment: every protected resource of it is named. */
  const options = async (environment: string, allowDestroy: boolean) =>
    allowDestroy ? { allowDestroy: (await recorded(environment)).map(({ address }) => address) } : {};

  return {
    plan: async (stack, { allowDestroy }) => planner.plan(stack, await options(stack.environment.name, allowDestroy)),
    planDestroy: async (environment, { allowDestroy }) => planner.planDestroy(environment, await options(environment, allowDestroy)),
    planRepair: (environment) => drift.planRepair(environment),
    recorded: async (environment) =>
      recordedStack(
        environment,
        Array.from((await loadStates(store, environment)).values(), ({ state }) => state),
      ),
    digests: async (environment, stack, fingerprints) => ({
      stackDigest:
        stack === undefined ? '' : digestStack(stack, fingerprints ?? (await fingerprintAll(stack, providersOf(stack, providers), []))),
      stateDigest: digestStates(await recorded(environment)),
    }),
  };
}
