import { digestJson } from '../digest/digest.ts';
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
  return {
    plan: (stack, options) => planner.plan(stack, options),
    planDestroy: (environment, options) => planner.planDestroy(environment, options),
    planRepair: (environment) => drift.planRepair(environment),
    recorded: async (environment) =>
      recordedStack(
        environment,
        Array.from((await loadStates(store, environment)).values(), ({ state }) => state),
      ),
    basis: async (environment, stack, given) => {
      const documents = await store.list('resources', `${environment}/`);
      const versions = documents.map(({ key, version }) => ({ address: key as Address, version }));
      const fingerprints = given ?? (stack === undefined ? new Map() : await fingerprintAll(stack, providersOf(stack, providers), []));
      return {
        stackDigest: stack === undefined ? '' : digestStack(stack, fingerprints),
        stateDigest: digestStates(versions),
        versions,
        blocks: () =>
          Object.fromEntries(
            stack?.blocks.map(({ address, fields }) => [address, digestJson({ fields, content: fingerprints.get(address) ?? {} })]) ?? [],
          ),
      };
    },
  };
}
