import { copyAddress } from '../plan/copies.ts';
import { placeOf, type ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import type { VersionedState } from './states.ts';

/** Which resources have two copies, and who is known to a provider by an address that is not its own. Questions take constant time. */
export interface CopyBook {
  /** To be told of every state that is written. */
  note(state: ResourceState): void;
  /** Whether an old copy of the resource was there during this run. */
  hasOld(of: Address): boolean;
  /** Where a provider may make what will be known as `address`: there, or, when another thing holds that place, somewhere new. */
  freePlace(address: Address, operation: string): Address;
}

export function createCopyBook(states: ReadonlyMap<Address, VersionedState>): CopyBook {
  const replaced = new Set<Address>();
  const holders = new Map<Address, Address>();
  const book: CopyBook = {
    note: ({ copy, placedAt, address }) => {
      if (copy?.role === 'old') replaced.add(copy.of);
      if (placedAt !== undefined) holders.set(placedAt, address);
    },
    hasOld: (of) => replaced.has(of),
    freePlace: (address, operation) => {
      const holder = holders.get(address);
      const held = holder === undefined || holder === address ? undefined : states.get(holder);
      if (held === undefined || placeOf(held.state) !== address) return address;
      return copyAddress({ address, id: operation, createdAt: '' });
    },
  };
  for (const { state } of states.values()) book.note(state);
  return book;
}
