import type { ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import type { Document, Store } from '../store/store.ts';

/** The store's collection of resource states, keyed by address. */
export const resourceCollection = 'resources';

export interface VersionedState {
  readonly state: ResourceState;
  readonly version: number;
}

/** The states of one environment, or of all, by address. */
export async function loadStates(store: Store, environment?: string): Promise<Map<Address, VersionedState>> {
  const documents = await store.list(resourceCollection, environment === undefined ? '' : `${environment}/`);
  return new Map(documents.map((document) => [document.key as Address, toVersionedState(document)]));
}

export async function loadState(store: Store, address: Address): Promise<ResourceState | undefined> {
  const document = await store.get(resourceCollection, address);
  return document && toVersionedState(document).state;
}

function toVersionedState({ value, version }: Document): VersionedState {
  return { state: value as unknown as ResourceState, version };
}
