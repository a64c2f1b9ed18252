import type { Digest } from '../digest/digest.ts';
import type { Json, JsonObject } from '../digest/json.ts';
import type { Address, Kind } from '../stack/stack.ts';

/**
 * What Sluice remembers of a resource; one document of the store's collection `resources`, keyed by address.
 * `creating` is written with the intent, before the provider is called, so that a crash leaves a trace to continue from.
 */
export interface ResourceState {
  readonly address: Address;
  readonly environment: string;
  readonly kind: Kind;
  readonly name: string;
  readonly provider: string;
  readonly status: ResourceStatus;
  /** Empty until the provider has answered. */
  readonly id: string;
  /** Fields as written in the stack, interpolations unresolved: never a secret. */
  readonly declared: JsonObject;
  readonly fingerprint: JsonObject;
  /** Keyed digest of the value each interpolation had when it was applied, so that a changed value is seen without being stored. */
  readonly resolved: Readonly<Record<string, Digest>>;
  readonly outputs: ResourceOutputs;
  /** Where a move under way leads: until it is finished the provider may have the resource at either address. */
  readonly movingTo?: Address;
  /** The address the provider will know it by after that move, when it is not `movingTo` itself. */
  readonly movingPlace?: Address;
  /** The address its provider knows it by, when it is not its own: see `placeOf`. */
  readonly placedAt?: Address;
  /**
   * Set on the record of a second copy of `of`, which a replacement keeps beside the one in use: `next` until the new copy is ready, then,
   * the two having changed places, `old` until nothing uses it any more.
   */
  readonly copy?: { readonly of: Address; readonly role: 'next' | 'old' };
  /** Which copy (its id) of a dependency it was turned to, for those that had two copies at the time. */
  readonly standsOn?: Readonly<Record<Address, string>>;
  /** Addresses this one needs to exist: they are created before it and deleted after it. */
  readonly dependencies: readonly Address[];
  /** Absolute stack folder it was last applied from. */
  readonly root: string;
  readonly operation: string;
  /** Differences from what was applied that somebody has accepted: not reported while they stay as they are, forgotten at the next update. */
  readonly accepted?: readonly Drift[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type ResourceStatus = 'creating' | 'updating' | 'deleting' | 'ready' | 'failed';

export type ResourceOutputs = Readonly<Record<string, StoredOutput>>;

export type StoredOutput = { readonly value: Json } | { readonly sealed: string };

/** A difference between what was applied and what is there. `field` is a dotted path, or `state` for "not running". */
export interface Drift {
  readonly field: string;
  readonly applied: Json;
  readonly observed: Json;
  /** How it came about, where it is known not to have been changed by somebody. */
  readonly because?: string;
}

/** The address by which the provider knows a resource. */
export function placeOf({ placedAt, address }: Pick<ResourceState, 'placedAt' | 'address'>): Address {
  return placedAt ?? address;
}
