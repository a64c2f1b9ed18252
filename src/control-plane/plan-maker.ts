import { digestJson } from '../digest/digest.ts';
import { fingerprintAll, providersOf, type Planner } from '../engine/planner.ts';
import { digestStack, digestStates } from '../plan/digests.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { Address } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import type { PlanMaker } from './plan-book.ts';

/** The planner as the plan book needs it. */
export function createPlanMaker({ planner, providers, store }: { planner: Planner; providers: ProviderRegistry; store: Store }): PlanMaker {
  return {
    plan: (stack, options) => planner.plan(stack, options),
    planDestroy: (environment, options) => planner.planDestroy(environment, options),
    basis: async (environment, stack) => {
      const documents = await store.list('resources', `${environment}/`);
      const versions = documents.map(({ key, version }) => ({ address: key as Address, version }));
      const fingerprints = stack === undefined ? new Map() : await fingerprintAll(stack, providersOf(stack, providers), []);
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
