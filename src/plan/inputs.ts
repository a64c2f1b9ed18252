import type { Digest } from '../digest/digest.ts';
import type { JsonObject } from '../digest/json.ts';
import type { Problem } from '../errors/sluice-error.ts';
import type { Coexistence, Observation, RolloutForecast } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { PolicyRule } from '../stack/policy/rule.ts';
import type { Address, ResolvedBlock } from '../stack/stack.ts';
import type { Plan } from './plan.ts';

/** Everything a plan depends on; gathered by the engine, compared by `computePlan`. */
export interface PlanInputs extends Pick<Plan, 'id' | 'environment' | 'mode' | 'stackDigest' | 'createdAt'> {
  readonly desired: readonly DesiredResource[];
  readonly recorded: readonly RecordedResource[];
  /** Warnings and notes found on the way; they travel with the plan. */
  readonly problems: readonly Problem[];
  /** Protected and stateful resources that this plan may delete or replace all the same. */
  readonly allowDestroy?: readonly Address[];
  /** Whether it may delete everything, or more than half of what is recorded. */
  readonly allowMassDestroy?: boolean;
  /** Only these and what they need; everything when empty. */
  readonly targets?: readonly Address[];
  /** All but these and what stands on them. */
  readonly excludes?: readonly Address[];
  /** Only record what was found. */
  readonly refreshOnly?: boolean;
  /** Resources of the stack to take over, with the provider's ids. */
  readonly adopt?: ReadonlyMap<Address, string>;
  readonly policies?: readonly PolicyRule[];
}

export interface DesiredResource {
  readonly block: ResolvedBlock;
  /** `Provider.name` of the provider that makes it. */
  readonly provider: string;
  readonly fingerprint: JsonObject;
  /** `Provider.replaceFields` of its kind. */
  readonly replaceFields: readonly string[];
  /** `Provider.coexistence` of its kind. */
  readonly coexistence?: Coexistence;
  readonly dependencyValues: readonly DependencyValue[];
  /** `Provider.riskOf` the block: counts for an update when it is graver than the plan's own view. */
  readonly updateRisk?: 'low' | 'medium' | 'high';
  /** `Provider.rolloutOf` the block. */
  readonly rollout?: RolloutForecast;
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
  /** Where it is recorded, when the stack says it has moved: `state` then is already as it will be. */
  readonly from?: Address;
  /** What the provider found; absent when it was not asked (a resource to be deleted, one that was never finished). */
  readonly observation?: Observation;
}
