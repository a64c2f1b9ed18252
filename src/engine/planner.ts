import type { JsonObject } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { type Problem, problem, sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import { computePlan } from '../plan/compute.ts';
import { digestStack } from '../plan/digests.ts';
import type { DesiredResource, RecordedResource } from '../plan/inputs.ts';
import type { Plan } from '../plan/plan.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Address, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import { dependencyValues } from './dependency-values.ts';
import { mapLimited } from './limited.ts';
import { withLosses } from './losses.ts';
import { observe } from './observe.ts';
import { loadStates, type VersionedState } from './states.ts';

export interface Planner {
  /** Reads what is there and compares. Changes nothing. Throws `plan_refused` with every problem, or `protected_resource`. */
  plan(stack: ResolvedStack, options?: PlanOptions): Promise<Plan>;
  /** A plan that removes everything an environment has, from its state alone. Throws `protected_resource`. */
  planDestroy(environment: string, options?: PlanOptions): Promise<Plan>;
}

export interface PlanOptions {
  /** Protected resources that may be deleted or replaced all the same. */
  readonly allowDestroy?: readonly Address[];
}

export interface PlannerDependencies {
  readonly store: Store;
  readonly providers: ProviderRegistry;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: Random;
}

/** Calls to providers that a plan makes at the same time. */
const concurrency = 16;
/** Fields of an environment whose engine comes later. */
const laterEnvironmentFields = ['promote_from', 'approval'] as const;

export function createPlanner(dependencies: PlannerDependencies): Planner {
  const { store, providers, vault, clock, random } = dependencies;
  const header = (environment: string) => ({ id: newId('plan', random), environment, createdAt: timestamp(clock.now()) });

  return {
    plan: async (stack, options = {}) => {
      const environment = stack.environment.name;
      const providerOf = providersOf(stack, providers);
      const found = [...(await checkStack(stack, providerOf))];
      refuseIfAny(found);
      const fingerprints = await fingerprintAll(stack, providerOf, found);
      const states = await loadStates(store, environment);
      const observed = await observeAll(dependencies, stack, states, found);
      refuseIfAny(found);
      const stateOf = (address: Address) => states.get(address)?.state;
      const desired = stack.blocks.map((block): DesiredResource => {
        const provider = providerOf.get(block.address) as Provider;
        return {
          block,
          provider: provider.name,
          fingerprint: fingerprints.get(block.address) ?? {},
          replaceFields: provider.replaceFields(block.kind),
          dependencyValues: dependencyValues(block, stateOf, vault),
        };
      });
      const stackDigest = digestStack(stack, fingerprints);
      const plan = computePlan({
        ...header(environment),
        mode: 'apply',
        stackDigest,
        desired,
        recorded: observed,
        problems: found,
        ...options,
      });
      return withLosses(plan, states, providers);
    },

    planDestroy: async (environment, options = {}) => {
      const states = await loadStates(store, environment);
      const recorded = [...states.values()];
      const plan = computePlan({
        ...header(environment),
        mode: 'destroy',
        stackDigest: '',
        desired: [],
        recorded,
        problems: [],
        ...options,
      });
      return withLosses(plan, states, providers);
    },
  };
}

/** The provider of every block that has one. */
export function providersOf(stack: ResolvedStack, providers: ProviderRegistry): ReadonlyMap<Address, Provider> {
  const found = stack.blocks.flatMap(({ kind, address }): [Address, Provider][] => {
    const provider = providers.providerFor(kind, stack.environment.provider);
    return provider ? [[address, provider]] : [];
  });
  return new Map(found);
}

async function checkStack(stack: ResolvedStack, providerOf: ReadonlyMap<Address, Provider>): Promise<readonly Problem[]> {
  const { provider: name, fields, position } = stack.environment;
  const later = laterEnvironmentFields
    .filter((field) => fields[field] !== undefined && fields[field] !== null)
    .map((field) => problem('unsupported_field', { kind: 'environment', field }, position ? { position } : {}));
  const unsupported = stack.blocks
    .filter(({ address }) => !providerOf.has(address))
    .map(({ kind, address, position }) => problem('unsupported_kind', { kind, provider: name }, { position, address }));
  const checked = await mapLimited([...new Set(providerOf.values())], concurrency, (provider) => provider.check(stack));
  return [...later, ...unsupported, ...checked.flat()];
}

/** Fingerprints of all blocks; a block whose content cannot be read adds a problem to `found` instead. */
export async function fingerprintAll(
  stack: ResolvedStack,
  providerOf: ReadonlyMap<Address, Provider>,
  found: Problem[],
): Promise<ReadonlyMap<Address, JsonObject>> {
  const fingerprints = await mapLimited(stack.blocks, concurrency, async (block): Promise<[Address, JsonObject]> => {
    try {
      return [block.address, (await providerOf.get(block.address)?.fingerprint(block, stack)) ?? {}];
    } catch (error) {
      found.push(...problemsOf(error, block));
      return [block.address, {}];
    }
  });
  return new Map(fingerprints);
}

/** What is recorded, with what is there for every finished resource of the stack. */
async function observeAll(
  dependencies: PlannerDependencies,
  stack: ResolvedStack,
  states: ReadonlyMap<Address, VersionedState>,
  found: Problem[],
): Promise<readonly RecordedResource[]> {
  const blocks = new Map(stack.blocks.map((block) => [block.address, block]));
  return mapLimited([...states.values()], concurrency, async (recorded): Promise<RecordedResource> => {
    const { state } = recorded;
    const block = blocks.get(state.address);
    const provider = dependencies.providers.providerFor(state.kind, state.provider);
    if (block === undefined || provider === undefined || state.id === '') return recorded;
    try {
      return { ...recorded, observation: await observe(dependencies, provider, state) };
    } catch (error) {
      found.push(...problemsOf(error, block));
      return recorded;
    }
  });
}

function problemsOf(thrown: unknown, { address, position }: ResolvedBlock): readonly Problem[] {
  const { code, message, help, problems } = toSluiceError(thrown);
  return problems.length > 0 ? problems : [{ severity: 'error', code, message, help, position, address }];
}

function refuseIfAny(problems: readonly Problem[]): void {
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw sluiceError('plan_refused', { count: errors.length }, { problems });
}
