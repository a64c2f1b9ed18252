import type { Digest } from '../digest/digest.ts';
import type { JsonObject } from '../digest/json.ts';
import type { Problem } from '../errors/sluice-error.ts';
import type { Observation } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address, ResolvedBlock } from '../stack/stack.ts';
import type { Plan } from './plan.ts';

/** Everything a plan depends on; gathered by the engine, compared by `computePlan`. */
export interface PlanInputs extends Pick<Plan, 'id' | 'environment' | 'mode' | 'stackDigest' | 'createdAt'> {
  readonly desired: readonly DesiredResource[];
  readonly recorded: readonly RecordedResource[];
  /** Warnings and notes found on the way; they travel with the plan. */
  readonly problems: readonly Problem[];
  /** Protected resources that this plan may delete or replace all the same. */
  readonly allowDestroy?: readonly Address[];
}

export interface DesiredResource {
  readonly block: ResolvedBlock;
  /** `Provider.name` of the provider that makes it. */
  readonly provider: string;
  readonly fingerprint: JsonObject;
  /** `Provider.replaceFields` of its kind. */
  readonly replaceFields: readonly string[];
  readonly dependencyValues: readonly DependencyValue[];
}

/** What a block takes from another: an output (`${database.db.url}`), or, by a reference field (`runs_on: agents-01`), its identity. */
export interface DependencyValue {
  readonly path: string;
  readonly reads: 'output' | 'identity';
  /** Key in `ResourceState.resolved`: the expression as written, or the address for an identity. */
  readonly key: string;
  /** The one it is taken from. */
  readonly address: Address;
  /** Keyed digest of its present value; absent while that is not known. */
  readonly digest?: Digest;
}

export interface RecordedResource {
  readonly state: ResourceState;
  /** Version of the state's document. */
  readonly version: number;
  /** What the provider found; absent when it was not asked (a resource to be deleted, one that was never finished). */
  readonly observation?: Observation;
}
