import type { JsonObject } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { type Problem, problem, sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import { computePlan } from '../plan/compute.ts';
import { digestStack } from '../plan/digests.ts';
import { addressIn, knownAddressIn } from '../plan/addresses.ts';
import { localAddress } from '../plan/decide.ts';
import type { DesiredResource, RecordedResource } from '../plan/inputs.ts';
import { type Renames, renamesOf, renameState } from '../plan/moves.ts';
import type { Plan } from '../plan/plan.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Address, Kind, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import { dependencyValues } from './dependency-values.ts';
import { mapLimited } from './limited.ts';
import { withLosses } from './losses.ts';
import { observe } from './observe.ts';
import { loadStates, type VersionedState } from './states.ts';

export interface Planner {
  /**
   * Reads what is there and compares. Changes nothing. Throws `plan_refused` with every problem, `protected_resource`, `mass_destroy`,
   * `policy_denied`, `unknown_address`.
   */
  plan(stack: ResolvedStack, options?: PlanOptions): Promise<Plan>;
  /** A plan that removes everything an environment has, from its state alone. Throws `protected_resource`, `policy_denied`. */
  planDestroy(environment: string, options?: DestroyOptions): Promise<Plan>;
}

/** Addresses are `kind/name` or `environment/kind/name`. */
export interface PlanOptions {
  /** Protected and stateful resources that may be deleted or replaced all the same. */
  readonly allowDestroy?: readonly string[];
  /** Whether everything, or more than half of what there is, may be deleted. */
  readonly allowMassDestroy?: boolean;
  /** Only these and what they need. */
  readonly targets?: readonly string[];
  /** All but these and what stands on them. */
  readonly excludes?: readonly string[];
  /** Only records what was found; changes nothing real. */
  readonly refreshOnly?: boolean;
  /** Declared resources to take over, by the provider's id. The plan is limited to them and what they need. */
  readonly adopt?: readonly { readonly address: string; readonly id: string }[];
}

export interface DestroyOptions extends Pick<PlanOptions, 'allowDestroy' | 'targets' | 'excludes'> {
  /** Rules that decide on the plan too; a plan that destroys has no stack to bring them. */
  readonly policies?: ResolvedStack['policies'];
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
      const renames = renamesIn(stack, states, providers, found);
      const observed = await observeAll(dependencies, stack, { states, renames }, found);
      refuseIfAny(found);
      const now = new Map(observed.map(({ state }) => [state.address, state]));
      const forecasts = await updateForecasts(stack, providerOf, now);
      const desired = stack.blocks.map((block): DesiredResource => {
        const provider = providerOf.get(block.address) as Provider;
        return {
          block,
          provider: provider.name,
          fingerprint: fingerprints.get(block.address) ?? {},
          replaceFields: provider.replaceFields(block.kind),
          ...coexisting(provider, block.kind),
          dependencyValues: dependencyValues(block, (address) => now.get(address), vault),
          ...forecasts.get(block.address),
        };
      });
      const stackDigest = digestStack(stack, fingerprints);
      const plan = computePlan({
        ...header(environment),
        ...limitsOf(environment, options, new Set([...now.keys(), ...providerOf.keys()])),
        ...adoptions(environment, options.adopt ?? [], { providerOf, states: now }),
        ...(options.refreshOnly === true && { refreshOnly: true }),
        ...(stack.policies && { policies: stack.policies }),
        mode: 'apply',
        stackDigest,
        desired,
        recorded: observed,
        problems: found,
      });
      return withLosses(plan, states, providers);
    },

    planDestroy: async (environment, options = {}) => {
      const states = await loadStates(store, environment);
      const recorded = [...states.values()];
      const plan = computePlan({
        ...header(environment),
        ...limitsOf(environment, options, new Set(states.keys())),
        ...(options.policies && { policies: options.policies }),
        mode: 'destroy',
        stackDigest: '',
        desired: [],
        recorded,
        problems: [],
      });
      return withLosses(plan, states, providers);
    },
  };
}

function coexisting(provider: Provider, kind: Kind): Pick<DesiredResource, 'coexistence'> {
  const coexistence = provider.coexistence?.(kind);
  return coexistence === undefined ? {} : { coexistence };
}

function limitsOf(environment: string, options: PlanOptions, known: ReadonlySet<Address>) {
  const named = (texts: readonly string[] = []) => texts.map((text) => knownAddressIn(environment, text, known));
  const adopted = (options.adopt ?? []).map(({ address }) => addressIn(environment, address));
  return {
    // What is allowed to go need not be there: a script that allows it runs twice.
    allowDestroy: (options.allowDestroy ?? []).map((text) => addressIn(environment, text)),
    allowMassDestroy: options.allowMassDestroy ?? false,
    targets: [...named(options.targets), ...adopted],
    excludes: named(options.excludes),
  };
}

function adoptions(
  environment: string,
  wanted: NonNullable<PlanOptions['adopt']>,
  { providerOf, states }: { providerOf: ReadonlyMap<Address, Provider>; states: ReadonlyMap<Address, ResourceState> },
) {
  if (wanted.length === 0) return {};
  const adopt = new Map<Address, string>();
  for (const { address: text, id } of wanted) {
    const address = addressIn(environment, text);
    const provider = providerOf.get(address);
    const state = states.get(address);
    if (provider === undefined) throw sluiceError('import_undeclared', { address });
    if (state !== undefined && state.id !== '') throw sluiceError('import_managed', { address, id: state.id });
    const holder = [...states.values()].find((other) => other.id === id && other.provider === provider.name);
    if (holder !== undefined) throw sluiceError('import_managed', { address: holder.address, id });
    const kind = address.split('/')[1] ?? '';
    const reason = 'it can only make them';
    if (provider.import === undefined) throw sluiceError('import_unsupported', { kind, provider: provider.name, reason });
    adopt.set(address, id);
  }
  return { adopt };
}

/** The moves of the stack that still have something to move and can be made; the others are noted. */
function renamesIn(
  stack: ResolvedStack,
  states: ReadonlyMap<Address, VersionedState>,
  providers: ProviderRegistry,
  found: Problem[],
): Renames {
  if (stack.moved === undefined) return new Map();
  const renames = new Map(renamesOf(stack.environment.name, stack.moved, (address) => states.has(address)));
  for (const [from, to] of renames) {
    const { kind, provider } = (states.get(from) as VersionedState).state;
    if (providers.providerFor(kind, provider)?.move !== undefined) continue;
    renames.delete(from);
    const position = stack.moved.find((moved) => moved.kind === kind && from.endsWith(`/${moved.from}`))?.position;
    const parameters = { from: localAddress(from), to: localAddress(to), kind };
    found.push(problem('not_movable', parameters, { severity: 'note', address: to, ...(position && { position }) }));
  }
  return renames;
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

/** What providers know beforehand of an update: its risk where there is something already, and the way it would go. */
async function updateForecasts(
  stack: ResolvedStack,
  providerOf: ReadonlyMap<Address, Provider>,
  recorded: ReadonlyMap<Address, ResourceState>,
): Promise<ReadonlyMap<Address, Pick<DesiredResource, 'updateRisk' | 'rollout'>>> {
  const forecasts = await mapLimited(stack.blocks, concurrency, async (block) => {
    const provider = providerOf.get(block.address);
    const updateRisk = recorded.has(block.address) ? await provider?.riskOf?.(block, stack) : undefined;
    const rollout = await provider?.rolloutOf?.(block, stack);
    return [block.address, { ...(updateRisk && { updateRisk }), ...(rollout && { rollout }) }] as const;
  });
  return new Map(forecasts);
}

/** What is recorded, as it will be after the moves, with what is there for every finished resource of the stack. */
async function observeAll(
  dependencies: PlannerDependencies,
  stack: ResolvedStack,
  { states, renames }: { states: ReadonlyMap<Address, VersionedState>; renames: Renames },
  found: Problem[],
): Promise<readonly RecordedResource[]> {
  const blocks = new Map(stack.blocks.map((block) => [block.address, block]));
  return mapLimited([...states.values()], concurrency, async (versioned): Promise<RecordedResource> => {
    const { state: before, version } = versioned;
    const state = renames.size === 0 ? before : renameState(before, renames);
    const moved = state.address !== before.address;
    const recorded: RecordedResource = { state, version, ...(moved && { from: before.address }) };
    const block = blocks.get(state.address);
    const provider = dependencies.providers.providerFor(state.kind, state.provider);
    if (block === undefined || provider === undefined || state.id === '') return recorded;
    try {
      const observation = await observe(dependencies, provider, before);
      const elsewhere = before.movingPlace ?? before.movingTo;
      if (observation.status !== 'absent' || elsewhere === undefined) return { ...recorded, observation };
      // A move that was cut short: the provider has it at its new address already.
      return { ...recorded, observation: await observe(dependencies, provider, { ...before, placedAt: elsewhere }) };
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
