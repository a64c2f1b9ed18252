import type { JsonObject } from '../digest/json.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Vault } from '../secrets/vault.ts';
import { outputExpressions } from '../stack/interpolate.ts';
import type { Address } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import { resolveFields } from './dependency-values.ts';
import { loadState } from './states.ts';

export interface OutputResolver {
  /**
   * `fields` with `${secret.x}`, `${database.y.url}` and their like replaced by the values that the resources have now. The result holds
   * secrets: for use at once, never for storage, logs or messages. Throws `output_unavailable` naming the expression.
   */
  resolve(environment: string, fields: JsonObject): Promise<JsonObject>;
}

export function createOutputResolver({ store, vault }: { readonly store: Store; readonly vault: Vault }): OutputResolver {
  return {
    resolve: async (environment, fields) => {
      const addresses = new Set(outputExpressions(fields).map(({ kind, name }): Address => `${environment}/${kind}/${name}`));
      const states = new Map<Address, ResourceState | undefined>();
      for (const address of addresses) states.set(address, await loadState(store, address));
      return resolveFields(environment, fields, (address) => states.get(address), vault);
    },
  };
}
