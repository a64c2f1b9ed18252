import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { PlanBook, PlanOrder, ServiceOverrides } from '../api/ports.ts';
import type { Json, JsonObject } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import { containedPath } from '../effects/files.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { DestroyOptions, PlanOptions } from '../engine/planner.ts';
import type { RepairPlan } from '../engine/drift.ts';
import type { RecordedStack } from '../engine/recorded-stack.ts';
import type { Plan } from '../plan/plan.ts';
import { changedBlocks, movedOn } from '../plan/stale.ts';
import type { Vault } from '../secrets/vault.ts';
import type { loadStack } from '../stack/load.ts';
import type { loadPolicyRules } from '../stack/policy/read-rules.ts';
import { pickVariables, secretVariableNames } from '../stack/secret-variables.ts';
import type { Address, ResolvedStack } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import { overridden } from './service-overrides.ts';

/** What the book asks of the engine's side. Changes nothing. */
export interface PlanMaker {
  /** Throws `plan_refused` with everything that is wrong, `protected_resource`, `mass_destroy`, `policy_denied`, `unknown_address`. */
  plan(stack: ResolvedStack, options: PlanOptions): Promise<Plan>;
  planDestroy(environment: string, options: DestroyOptions): Promise<Plan>;
  /** A plan that brings back what was applied; undefined when there is nothing to do. */
  planRepair(environment: string): Promise<RepairPlan | undefined>;
  /** The stack as it is recorded. */
  recorded(environment: string): Promise<RecordedStack>;
  /**
   * What a plan made now would be made from, without the work of making it. No stack: of a plan that destroys. `fingerprints`: instead of
   * the content of the stack's files as it is now.
   */
  basis(environment: string, stack: ResolvedStack | undefined, fingerprints?: ReadonlyMap<Address, JsonObject>): Promise<PlanBasis>;
}

/** What a plan stands on: as long as it stays the same, the plan is true. */
interface PlanBasis extends Pick<Plan, 'stackDigest' | 'stateDigest'> {
  readonly versions: readonly { readonly address: Address; readonly version: number }[];
  /** A digest for every block, to say what has changed. */
  blocks(): Readonly<Record<string, string>>;
}

export interface PlanBookDependencies {
  readonly store: Store;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly planner: PlanMaker;
  readonly load: typeof loadStack;
  /** Takes in what a caller has sent for secrets of the stack. */
  readonly takeVariables: (environment: string, values: Readonly<Record<string, string>>) => void;
  /** The rules beside a stack, for plans that are made without reading it. */
  readonly loadRules: typeof loadPolicyRules;
  /** Folder all stacks are in. */
  readonly root: string;
}

export interface ReloadablePlans extends PlanBook {
  /**
   * The plan and the stack it was made from, read again. Throws `unknown_plan`, `plan_applied`, and `plan_stale` when the stack or what
   * is there has changed since.
   */
  reload(id: string): Promise<ReloadedPlan>;
  /** A plan that brings back what was applied; undefined when everything is as it was. */
  createRepair(environment: string): Promise<Plan | undefined>;
  /** Marks the plan as applied by a run; of two that try at once, one gets `plan_applied`. */
  claim(id: string, run: string): Promise<void>;
}

export interface ReloadedPlan {
  readonly plan: Plan;
  readonly stack: ResolvedStack | undefined;
  /** Content it was made for, where that is not what stands in the stack's files now. */
  readonly fingerprints?: ReadonlyMap<Address, JsonObject>;
}

/** A plan with what is needed to read its stack again; one document of the collection `plans`. */
interface StoredPlan {
  readonly plan: Plan;
  /** Relative to the root. */
  readonly stack: string;
  /** Variables from a command line may be secret. */
  readonly sealedVariables?: string;
  /** Environment variables from a command line may be secret, too. */
  readonly sealedOverrides?: string;
  /** Of a plan that was saved: it is kept longer, with digests that tell what has changed. */
  readonly saved?: { readonly blocks: Readonly<Record<string, string>> };
  readonly run?: string;
  /** Of a plan that repairs: made from what is recorded, with this content where it has changed since. */
  readonly repair?: RepairPlan['fingerprints'];
}

const collection = 'plans';
const dayMs = 24 * 60 * 60 * 1000;
const lifetimeDays = { saved: 30, other: 1 };

export function createPlanBook({
  store,
  vault,
  clock,
  planner,
  load,
  loadRules,
  takeVariables,
  root,
}: PlanBookDependencies): ReloadablePlans {
  const loadFrom = async (stack: string, environment: string | undefined, variables: PlanOrder['variables']): Promise<ResolvedStack> => {
    if (!existsSync(root)) throw sluiceError('root_missing', { root });
    const path = containedPath(root, stack);
    if (path === undefined) throw sluiceError('stack_outside_root', { path: stack });
    const loaded = await load(path, { ...(environment !== undefined && { environment }), ...(variables && { variables }) });
    if (loaded.ok) return loaded.value;
    const count = loaded.problems.filter(({ severity }) => severity === 'error').length;
    throw sluiceError('plan_refused', { count }, { problems: loaded.problems });
  };

  const find = async (id: string): Promise<{ stored: StoredPlan; version: number }> => {
    const document = await store.get(collection, id);
    if (document === undefined) throw sluiceError('unknown_plan', { id });
    return { stored: document.value as unknown as StoredPlan, version: document.version };
  };

  const rulesBeside = async (stack: string): Promise<ResolvedStack['policies']> => {
    const path = containedPath(root, stack);
    const loaded = path === undefined || !existsSync(path) ? undefined : await loadRules(path);
    if (loaded === undefined || loaded.ok) return loaded?.value;
    throw sluiceError('plan_refused', { count: loaded.problems.length }, { problems: loaded.problems });
  };

  const compute = async (order: PlanOrder): Promise<{ readonly plan: Plan; readonly stack?: ResolvedStack }> => {
    const { stack: path, environment, variables, secretVariables, mode, save: _, overrides, ...options } = order;
    const destroy = async (name: string): Promise<{ readonly plan: Plan }> => {
      const policies = await rulesBeside(path);
      return { plan: await planner.planDestroy(name, { ...options, ...(policies && { policies }) }) };
    };
    // What is named is destroyed from what is recorded, even when its stack is gone.
    if (mode === 'destroy' && environment !== undefined) return destroy(environment);
    const stack = overridden(await loadFrom(path, environment, variables), overrides);
    // Nothing but what the stack's own secrets name.
    if (secretVariables) takeVariables(stack.environment.name, pickVariables(secretVariableNames(stack), secretVariables));
    return mode === 'destroy' ? destroy(stack.environment.name) : { plan: await planner.plan(stack, options), stack };
  };

  const keep = async (stored: StoredPlan): Promise<void> => {
    await dropOld();
    const { id } = stored.plan;
    await store.transact([{ operation: 'put', collection, key: id, value: stored as unknown as Json, ifVersion: 0 }]);
  };

  const reloadRepair = async (plan: Plan, repair: RepairPlan['fingerprints']): Promise<ReloadedPlan> => {
    const { stack, fingerprints: recorded } = await planner.recorded(plan.environment);
    const fingerprints = new Map([...recorded, ...(Object.entries(repair) as [Address, JsonObject][])]);
    demandSame(plan, await planner.basis(plan.environment, stack, fingerprints));
    return { plan, stack, fingerprints };
  };

  const dropOld = async (): Promise<void> => {
    const old = (await store.list(collection)).filter(({ value }) => {
      const { plan, saved } = value as unknown as StoredPlan;
      return clock.now() - Date.parse(plan.createdAt) > lifetimeDays[saved ? 'saved' : 'other'] * dayMs;
    });
    if (old.length > 0) await store.transact(old.map(({ key }) => ({ operation: 'delete', collection, key })));
  };

  return {
    create: async (order) => {
      const { plan, stack } = await compute(order);
      const stored: StoredPlan = {
        plan,
        ...(order.save && { saved: { blocks: (await planner.basis(plan.environment, stack)).blocks() } }),
        stack: relative(root, containedPath(root, order.stack) ?? root),
        ...(order.overrides !== undefined && { sealedOverrides: vault.seal(JSON.stringify(order.overrides)) }),
        ...(order.variables !== undefined && { sealedVariables: vault.seal(JSON.stringify(order.variables)) }),
      };
      await keep(stored);
      return plan;
    },

    createRepair: async (environment) => {
      const repair = await planner.planRepair(environment);
      if (repair === undefined) return undefined;
      await keep({ plan: repair.plan, stack: '', repair: repair.fingerprints });
      return repair.plan;
    },

    get: async (id) => (await find(id)).stored.plan,

    reload: async (id) => {
      const { plan, run, stack: path, sealedVariables, sealedOverrides, saved, repair } = (await find(id)).stored;
      if (run !== undefined) throw sluiceError('plan_applied', { id, run });
      if (repair !== undefined) return reloadRepair(plan, repair);
      const variables = sealedVariables === undefined ? undefined : (JSON.parse(vault.open(sealedVariables)) as Record<string, string>);
      const overrides = sealedOverrides === undefined ? undefined : (JSON.parse(vault.open(sealedOverrides)) as ServiceOverrides);
      const stack = plan.mode === 'destroy' ? undefined : overridden(await loadFrom(path, plan.environment, variables), overrides);
      demandSame(plan, await planner.basis(plan.environment, stack), saved?.blocks);
      return { plan, stack };
    },

    claim: async (id, run) => {
      const { stored, version } = await find(id);
      if (stored.run !== undefined) throw sluiceError('plan_applied', { id, run: stored.run });
      const claimed = { ...stored, run } as unknown as Json;
      try {
        await store.transact([{ operation: 'put', collection, key: id, value: claimed, ifVersion: version }]);
      } catch (thrown) {
        const other = (await find(id)).stored.run;
        throw other === undefined ? thrown : sluiceError('plan_applied', { id, run: other });
      }
    },
  };
}

/** `blocks`: digests that were saved with the plan; with them it is said which blocks have changed. */
function demandSame(plan: Plan, now: PlanBasis, blocks?: Readonly<Record<string, string>>): void {
  const { id, stackDigest, stateDigest } = plan;
  if (now.stackDigest !== stackDigest) {
    throw sluiceError('plan_stale', { id, reason: changedBlocks(blocks ?? {}, blocks ? now.blocks() : {}) });
  }
  if (now.stateDigest !== stateDigest) throw sluiceError('plan_stale', { id, reason: movedOn(plan, now.versions) });
}
