import type { Address } from '../stack/stack.ts';

/** `later` must not start before `earlier` is finished. */
export interface Edge {
  readonly earlier: Address;
  readonly later: Address;
}

export interface Order {
  /** All addresses, each behind those it comes after; otherwise in the order given. */
  readonly order: readonly Address[];
  readonly after: ReadonlyMap<Address, readonly Address[]>;
}

/**
 * Orders addresses along edges by Kahn's algorithm (1962): time and memory grow with addresses plus edges. `wishes` are edges to be
 * dropped, all of them, should they close a circle. Circles of `edges` cannot come from a valid stack; should an old record hold one, its
 * members follow at the end in the order given rather than block everything else.
 */
export function orderAlong(addresses: readonly Address[], edges: readonly Edge[], wishes: readonly Edge[] = []): Order {
  const wished = attempt(addresses, [...edges, ...wishes]);
  if (wished.order.length === addresses.length) return wished;
  const strict = wishes.length === 0 ? wished : attempt(addresses, edges);
  if (strict.order.length === addresses.length) return strict;
  const placed = new Set(strict.order);
  const after = new Map(strict.after);
  const order = [...strict.order];
  for (const address of addresses) {
    if (placed.has(address)) continue;
    const kept = after.get(address)?.filter((earlier) => placed.has(earlier)) ?? [];
    after.set(address, kept);
    placed.add(address);
    order.push(address);
  }
  return { order, after };
}

function attempt(addresses: readonly Address[], edges: readonly Edge[]): Order {
  const before = new Map<Address, Set<Address>>(addresses.map((address) => [address, new Set()]));
  const followers = new Map<Address, Address[]>(addresses.map((address) => [address, []]));
  for (const { earlier, later } of edges) {
    const known = before.get(later);
    if (earlier === later || known === undefined || known.has(earlier) || !followers.has(earlier)) continue;
    known.add(earlier);
    followers.get(earlier)?.push(later);
  }
  const waitingFor = new Map(addresses.map((address) => [address, before.get(address)?.size ?? 0]));
  const order = addresses.filter((address) => waitingFor.get(address) === 0);
  for (const address of order) {
    for (const follower of followers.get(address) ?? []) {
      const remaining = (waitingFor.get(follower) ?? 0) - 1;
      waitingFor.set(follower, remaining);
      // The list grows while it is walked: it is the queue as well as the result.
      if (remaining === 0) order.push(follower);
    }
  }
  return { order, after: new Map(Array.from(before, ([address, earlier]) => [address, [...earlier]])) };
}
