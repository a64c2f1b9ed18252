import type { JsonObject } from '../../digest/json.ts';
import type { Address, Kind } from '../../stack/stack.ts';

/** What really exists, apart from any control plane: it stays when one crashes. Tests change it to play the outside world. */
export interface SimulatedWorld {
  readonly resources: Map<Address, SimulatedResource>;
  /** Who was ever told to refer to an address: a superset of those that do now, so that a deletion need not ask everybody. */
  readonly referrers: Map<Address, Set<Address>>;
  /** Every call that had an effect, in order. */
  readonly effects: SimulatedEffect[];
  /** How many resources were ever made; ids count on from it. */
  made: number;
}

export interface SimulatedResource {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  /** The operation that made it. */
  readonly operation: string;
  readonly declared: JsonObject;
  /** Fields with all values put in, as a provider gets them. */
  readonly fields: JsonObject;
  readonly running: boolean;
  /** What it was last told to refer to. */
  readonly refersTo: readonly Address[];
}

export interface SimulatedEffect {
  readonly call: 'create' | 'update' | 'delete' | 'move' | 'import' | 'suspend' | 'resume';
  readonly address: Address;
  /** Whether a creation found something at its address that another operation had made. */
  readonly tookOver?: boolean;
  /** Resources that still referred to what a deletion removed. */
  readonly stranded?: readonly Address[];
}

/** An empty world, or one that goes on with the resources of another. */
export function createSimulatedWorld(resources: Iterable<readonly [Address, SimulatedResource]> = [], made = 0): SimulatedWorld {
  const world: SimulatedWorld = { resources: new Map(resources), referrers: new Map(), effects: [], made };
  for (const [address, { refersTo }] of world.resources) noteReferences(world, address, refersTo);
  return world;
}

export function noteReferences({ referrers }: SimulatedWorld, address: Address, refersTo: Iterable<Address>): void {
  for (const other of refersTo) {
    const known = referrers.get(other);
    if (known === undefined) referrers.set(other, new Set([address]));
    else known.add(address);
  }
}
