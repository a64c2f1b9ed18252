import type { JsonObject } from '../../digest/json.ts';
import type { Address, Kind } from '../../stack/stack.ts';

/** What really exists, apart from any control plane: it stays when one crashes. Tests change it to play the outside world. */
export interface SimulatedWorld {
  readonly resources: Map<Address, SimulatedResource>;
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

export function createSimulatedWorld(): SimulatedWorld {
  return { resources: new Map(), effects: [], made: 0 };
}
