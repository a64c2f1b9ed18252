import type { Json } from '../digest/json.ts';
import type { Problem } from '../errors/sluice-error.ts';
import type { RolloutForecast } from '../providers/provider.ts';
import type { Address, Kind } from '../stack/stack.ts';

/** The exact changes between a stack and what is observed. Holds no secret and no function: it can be stored, sent and shown. */
export interface Plan {
  readonly id: string;
  readonly environment: string;
  readonly mode: 'apply' | 'destroy';
  /** Digest of the resolved stack, fingerprints included. */
  readonly stackDigest: string;
  /** Digest over the versions of the state documents it was made from: an apply is refused once they have moved on. */
  readonly stateDigest: string;
  readonly createdAt: string;
  /** One per resource of the stack or the state, no-ops included, in an order in which they could be done one after another. */
  readonly changes: readonly Change[];
  /** Warnings and notes; a plan with errors is never made. */
  readonly problems: readonly Problem[];
  /** Present when the plan was limited to a part of the environment. */
  readonly scope?: Scope;
  /** Present when it only compares what is recorded with what is there, and says nothing about the stack. */
  readonly refreshOnly?: true;
}

/** What a plan was limited to. Everything else is in it as a change `none` that is `outOfScope`. */
export interface Scope {
  readonly targets: readonly Address[];
  readonly excludes: readonly Address[];
  /** What came in because a target needs it, or because it stands on a target that goes. */
  readonly alsoIncluded: readonly Address[];
  /** What was left out because it stands on something excluded, or because something excluded stands on it. */
  readonly alsoExcluded: readonly Address[];
}

/**
 * `adopt` takes over what is there already; `move` gives a resource another name and leaves it as it is; `refresh` only records what was
 * found.
 */
export type Action = 'create' | 'adopt' | 'update' | 'move' | 'replace' | 'delete' | 'refresh' | 'none';
export type Risk = 'none' | 'low' | 'medium' | 'high';

export interface Change {
  readonly address: Address;
  readonly kind: Kind;
  readonly name: string;
  readonly action: Action;
  /** Why, in a few words for people ("not running", "version cannot change in place", "no longer in the stack"). Empty for none. */
  readonly reason: string;
  readonly fields: readonly FieldChange[];
  readonly risk: Risk;
  /** Whether users of this resource will notice an interruption while it is applied. */
  readonly downtime: boolean;
  /** Changes of this plan that must be finished before this one starts. */
  readonly after: readonly Address[];
  /** Where it was until now, for what moves; whatever else is done with it is done after the move. */
  readonly from?: Address;
  /** The provider's id of what is adopted. */
  readonly id?: string;
  /** Version of the record the plan was made from; absent without a record. Tells what has moved on when a plan is stale. */
  readonly version?: number;
  /** It differs, or may differ, and is left alone because the plan is limited. */
  readonly outOfScope?: true;
  /** How it is replaced; present for the replacement of what exists. */
  readonly replacement?: Replacement;
  /** Which way a new release goes, and what that takes meanwhile. */
  readonly rollout?: RolloutForecast;
  /** It is not a resource of its own but a second copy of this one, left by a replacement of this plan or of an earlier one. */
  readonly copyOf?: Address;
}

/**
 * `create_first`: the new copy is made, `turns` turn to it, then `oldCopy` is deleted by a change of its own, unless it stays for those
 * outside the plan that still use it. `delete_first`: the old copy goes before the new one comes, for the reason given.
 */
export interface Replacement {
  readonly order: 'create_first' | 'delete_first';
  readonly because?: string;
  readonly oldCopy?: Address;
  readonly turns?: readonly Address[];
  readonly staysFor?: readonly Address[];
}

/** One differing leaf field. `before` is absent for an addition, `after` for a removal. */
export interface FieldChange {
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  readonly forcesReplacement: boolean;
  /** `default`: the stack does not mention it; only in creations, which list every field a resource will have. */
  readonly origin: 'stack' | 'default' | 'content' | 'drift' | 'dependency';
  /** How drift came about, where it is known not to have been changed by somebody. */
  readonly because?: string;
}

export type PlanSummary = Readonly<Record<Action, number>>;

/** Counts resources: the old copy that a replacement of this plan leaves is part of that replacement. */
export function summarize(plan: Pick<Plan, 'changes'>): PlanSummary {
  const summary = { create: 0, adopt: 0, update: 0, move: 0, replace: 0, delete: 0, refresh: 0, none: 0 };
  const replaced = new Set(plan.changes.map(({ replacement }) => replacement?.oldCopy));
  for (const { action, address, copyOf } of plan.changes) {
    if (copyOf === undefined || (action !== 'none' && !replaced.has(address))) summary[action] += 1;
  }
  return summary;
}

export function hasChanges(plan: Pick<Plan, 'changes'>): boolean {
  return plan.changes.some((change) => change.action !== 'none');
}
