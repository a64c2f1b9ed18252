import { jsonEquals, type JsonObject } from '../digest/json.ts';
import { timestamp } from '../effects/clock.ts';
import { newId } from '../effects/random.ts';
import { type SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { Action } from '../plan/plan.ts';
import type { Applied, CreateRequest, Operation, Provider } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address, Kind, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import { dependencyValues, referencedResources, resolvedDigests, resolveFields } from './dependency-values.ts';
import { intentOf, type JournalEntry, outcomeOf } from './journal.ts';
import { storeOutputs } from './outputs.ts';
import { withRetry } from './retry.ts';
import { record, type RunContext, stateOf } from './run-context.ts';
import type { Telling } from './telling.ts';

/**
 * Makes one change real. Before each call to a provider the intent and the state it leads through are durable; after it, the outcome
 * and the new state, each pair in one transaction. Throws what went wrong, after recording it.
 */
export async function perform(context: RunContext, address: Address, action: Exclude<Action, 'none'>, telling: Telling): Promise<void> {
  if (action === 'delete') return remove(context, address, telling);
  const prepared = prepare(context, address);
  if (action === 'update') return update(context, prepared, telling);
  if (action === 'replace') return replace(context, prepared, telling);
  return create(context, prepared, undefined, telling);
}

interface Prepared {
  readonly block: ResolvedBlock;
  readonly provider: Provider;
  readonly request: CreateRequest;
  readonly resolved: ResourceState['resolved'];
  readonly dependencies: readonly Address[];
}

/** Everything a provider needs, resolved before anything is touched: a value that cannot be had must not leave a change half done. */
function prepare(context: RunContext, address: Address): Prepared {
  const block = context.blocks.get(address) as ResolvedBlock;
  const { environment, root } = context.stack as ResolvedStack;
  const { kind, name, fields: declared } = block;
  const lookup = (other: Address) => stateOf(context, other);
  const fields = resolveFields(environment.name, declared, lookup, context.vault);
  const references = referencedResources(block, lookup, context.vault);
  const fingerprint = context.fingerprints.get(address) ?? {};
  const dependencies = new Set(block.references.filter(({ ordering }) => ordering).map((reference) => reference.address));
  return {
    block,
    provider: providerFor(context, kind, environment.provider),
    request: { address, environment: environment.name, kind, name, fields, declared, fingerprint, root, references },
    resolved: resolvedDigests(dependencyValues(block, lookup, context.vault)),
    dependencies: [...dependencies],
  };
}

function providerFor(context: RunContext, kind: Kind, name: string): Provider {
  const provider = context.providers.providerFor(kind, name);
  if (provider === undefined) throw sluiceError('unsupported_kind', { kind, provider: name });
  return provider;
}

async function create(context: RunContext, prepared: Prepared, deletion: JournalEntry | undefined, telling: Telling): Promise<void> {
  const { provider, request, resolved, dependencies } = prepared;
  const { address, environment, kind, name, declared, fingerprint, root } = request;
  const before = stateOf(context, address);
  const now = timestamp(context.clock.now());
  const intent: ResourceState = {
    address,
    environment,
    kind,
    name,
    provider: provider.name,
    status: 'creating',
    id: '',
    declared,
    fingerprint,
    resolved,
    outputs: {},
    dependencies: either(before, dependencies),
    root,
    operation: continues(before, declared, fingerprint, resolved) ? before.operation : newId('operation', context.random),
    createdAt: now,
    updatedAt: now,
  };
  const entry = entryFor(context, intent, 'create');
  await record(context, address, intent, [...(deletion ? [deletion] : []), intentOf(entry)], telling.started());
  await settle(context, intent, entry, telling, async () => {
    const applied = await call(context, provider, intent.operation, telling, (operation) => provider.create(request, operation));
    return ready(context, { ...intent, dependencies }, applied);
  });
}

async function update(context: RunContext, prepared: Prepared, telling: Telling): Promise<void> {
  const { provider, request, resolved, dependencies } = prepared;
  const { address, declared, fingerprint, root } = request;
  const current = stateOf(context, address) as ResourceState;
  const intent: ResourceState = {
    ...current,
    status: 'updating',
    dependencies: either(current, dependencies),
    operation: newId('operation', context.random),
    updatedAt: timestamp(context.clock.now()),
  };
  const { accepted: _forgotten, ...rest } = intent;
  const entry = entryFor(context, intent, 'update');
  await record(context, address, intent, [intentOf(entry)], telling.started());
  await settle(context, intent, entry, telling, async () => {
    const applied = await call(context, provider, intent.operation, telling, (operation) =>
      provider.update({ ...request, current }, operation),
    );
    return ready(context, { ...rest, declared, fingerprint, resolved, dependencies, root }, applied);
  });
}

async function remove(context: RunContext, address: Address, telling: Telling): Promise<void> {
  const { intent, entry, act } = await beginDeletion(context, address, telling);
  await settle(context, intent, entry, telling, async () => {
    await act();
    return undefined;
  });
}

/** The end of the deletion and the beginning of the creation are one transaction: no crash can fall between them. */
async function replace(context: RunContext, prepared: Prepared, telling: Telling): Promise<void> {
  const { intent, entry, act } = await beginDeletion(context, prepared.block.address, telling);
  try {
    await act();
  } catch (error) {
    throw await failed(context, intent, entry, telling, error);
  }
  await create(context, prepared, outcomeOf(entry), telling);
}

async function beginDeletion(context: RunContext, address: Address, telling: Telling) {
  const current = stateOf(context, address) as ResourceState;
  const provider = providerFor(context, current.kind, current.provider);
  const operation = newId('operation', context.random);
  const intent: ResourceState = { ...current, status: 'deleting', operation, updatedAt: timestamp(context.clock.now()) };
  const entry = entryFor(context, intent, 'delete');
  await record(context, address, intent, [intentOf(entry)], telling.started());
  return { intent, entry, act: () => call(context, provider, operation, telling, (given) => provider.delete(current, given)) };
}

/** Records how an operation ended: the state it leads to, or what is left of the attempt. */
async function settle(
  context: RunContext,
  intent: ResourceState,
  entry: ReturnType<typeof entryFor>,
  telling: Telling,
  work: () => Promise<ResourceState | undefined>,
): Promise<void> {
  let next: ResourceState | undefined;
  try {
    next = await work();
  } catch (thrown) {
    throw await failed(context, intent, entry, telling, thrown);
  }
  await record(context, intent.address, next, [outcomeOf(entry)], await telling.finished());
}

/** Records a failure, without the secrets that may be in its words, and returns it. */
async function failed(
  context: RunContext,
  intent: ResourceState,
  entry: ReturnType<typeof entryFor>,
  telling: Telling,
  thrown: unknown,
): Promise<SluiceError> {
  const error = context.secrets.scrubError(thrown);
  // Whoever has lost the right to write does not write down that he has.
  if (error.code === 'lease_lost') return error;
  const left: ResourceState = intent.status === 'deleting' ? intent : { ...intent, status: 'failed' };
  await record(context, intent.address, left, [outcomeOf(entry, error)], await telling.failed(error));
  return error;
}

/** One call to a provider, within its rate, tried again as its error says; each attempt only by the one who holds the environment. */
function call<Result>(
  context: RunContext,
  provider: Provider,
  id: string,
  telling: Telling,
  work: (operation: Operation) => Promise<Result>,
): Promise<Result> {
  const operation: Operation = { id, signal: context.lease.lost, progress: (message) => telling.report(message) };
  const attempt = async (): Promise<Result> => {
    await context.limits.take(provider, context.lease.lost);
    await context.lease.ensureHeld();
    return work(operation);
  };
  return withRetry(context, attempt, {
    signal: AbortSignal.any([context.cancelled, context.lease.lost]),
    onRetry: (error, waitMs, { attempt: tried, attempts }) =>
      telling.report(`${error.message} Trying again in ${(waitMs / 1_000).toFixed(1)} s (attempt ${tried + 1} of ${attempts}).`),
  });
}

function ready(context: RunContext, state: ResourceState, { id, outputs }: Applied): ResourceState {
  return { ...state, status: 'ready', id, outputs: storeOutputs(outputs, context.vault), updatedAt: timestamp(context.clock.now()) };
}

/** Whether an interrupted creation asked for exactly the same: then its operation goes on and the provider adopts what it made. */
function continues(
  before: ResourceState | undefined,
  declared: JsonObject,
  fingerprint: JsonObject,
  resolved: ResourceState['resolved'],
): before is ResourceState {
  if (before?.status !== 'creating') return false;
  return jsonEquals([before.declared, before.fingerprint, before.resolved], [declared, fingerprint, resolved]);
}

/** Until a change is done, its resource may depend on what it is leaving as well as on what it is turning to. */
function either(before: ResourceState | undefined, dependencies: readonly Address[]): readonly Address[] {
  return [...new Set([...(before?.dependencies ?? []), ...dependencies])];
}

function entryFor(context: RunContext, { operation, address }: ResourceState, action: JournalEntry['action']) {
  return { operation, run: context.run, address, action, time: timestamp(context.clock.now()) };
}
