import { jsonEquals, type JsonObject } from '../digest/json.ts';
import { timestamp } from '../effects/clock.ts';
import { newId } from '../effects/random.ts';
import { sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import { localAddress } from '../plan/decide.ts';
import type { Action, Change } from '../plan/plan.ts';
import { withObserved } from '../plan/refresh.ts';
import type { Applied, CreateRequest, Operation, Provider } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address, Kind, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import { dependencyValues, referencedResources, resolvedDigests, resolveFields } from './dependency-values.ts';
import { intentOf, type JournalEntry, outcomeOf } from './journal.ts';
import { observe } from './observe.ts';
import { storeOutputs } from './outputs.ts';
import { withRetry } from './retry.ts';
import { record, type RunContext, stateOf } from './run-context.ts';

/** Reports progress of the change under way. */
export type Report = (message: string) => void;

/**
 * Makes one change real. Before each call to a provider the intent and the state it leads through are durable; after it, the outcome
 * and the new state, each pair in one transaction. Throws what went wrong, after recording it.
 */
export async function perform(context: RunContext, change: Change, action: Exclude<Action, 'none'>, report: Report): Promise<void> {
  const { address } = change;
  const failedMove = context.failedMoves.get(address);
  if (failedMove !== undefined) throw failedMove;
  if (change.from !== undefined) report(`moved from ${localAddress(change.from)}`);
  if (action === 'move') return;
  if (action === 'delete') return remove(context, address, report);
  if (action === 'refresh') return refresh(context, address);
  const prepared = prepare(context, address);
  if (action === 'adopt') return adopt(context, prepared, change.id ?? '', report);
  if (action === 'update') return update(context, prepared, report);
  if (action === 'replace') return replace(context, prepared, report);
  return create(context, prepared, undefined, report);
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

async function create(context: RunContext, prepared: Prepared, deletion: JournalEntry | undefined, report: Report): Promise<void> {
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
  await record(context, address, intent, [...(deletion ? [deletion] : []), intentOf(entry)]);
  await settle(context, intent, entry, async () => {
    const applied = await call(context, intent.operation, report, (operation) => provider.create(request, operation));
    return ready(context, { ...intent, dependencies }, applied);
  });
}

/**
 * Nothing is recorded before the provider has answered: cut short, the import begins again, and a creation that comes instead takes over
 * what is there.
 */
async function adopt(context: RunContext, prepared: Prepared, id: string, report: Report): Promise<void> {
  const { provider, request, resolved, dependencies } = prepared;
  const { address, environment, kind, name, declared, fingerprint, root } = request;
  const takeOver = provider.import?.bind(provider);
  if (takeOver === undefined) {
    throw sluiceError('import_unsupported', { kind, provider: provider.name, reason: 'it can only make them' });
  }
  const now = timestamp(context.clock.now());
  const operation = newId('operation', context.random);
  const state: ResourceState = {
    address,
    environment,
    kind,
    name,
    provider: provider.name,
    status: 'ready',
    id,
    declared,
    fingerprint,
    resolved,
    outputs: {},
    dependencies,
    root,
    operation,
    createdAt: now,
    updatedAt: now,
  };
  const entry = entryFor(context, state, 'adopt');
  const before = stateOf(context, address);
  await record(context, address, before, [intentOf(entry)]);
  try {
    const applied = await call(context, operation, report, (given) => takeOver({ ...request, id }, given));
    await record(context, address, ready(context, state, applied), [outcomeOf(entry)]);
  } catch (thrown) {
    await record(context, address, before, [outcomeOf(entry, toSluiceError(thrown))]);
    throw thrown;
  }
}

/** Asks again what is there and writes it down; nothing real is touched. */
async function refresh(context: RunContext, address: Address): Promise<void> {
  const current = stateOf(context, address) as ResourceState;
  const observation = await observe(context, providerFor(context, current.kind, current.provider), current);
  const operation = newId('operation', context.random);
  const entry = entryFor(context, { ...current, operation }, 'refresh');
  if (observation.status === 'absent') return record(context, address, undefined, [outcomeOf(entry)]);
  const next: ResourceState = {
    ...current,
    declared: withObserved(current.declared, observation.drift),
    outputs: { ...current.outputs, ...observation.outputs },
    operation,
    updatedAt: timestamp(context.clock.now()),
  };
  await record(context, address, next, [outcomeOf(entry)]);
}

async function update(context: RunContext, prepared: Prepared, report: Report): Promise<void> {
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
  const entry = entryFor(context, intent, 'update');
  await record(context, address, intent, [intentOf(entry)]);
  await settle(context, intent, entry, async () => {
    const applied = await call(context, intent.operation, report, (operation) => provider.update({ ...request, current }, operation));
    return ready(context, { ...intent, declared, fingerprint, resolved, dependencies, root }, applied);
  });
}

async function remove(context: RunContext, address: Address, report: Report): Promise<void> {
  const { intent, entry, act } = await beginDeletion(context, address, report);
  await settle(context, intent, entry, async () => {
    await act();
    return undefined;
  });
}

/** The end of the deletion and the beginning of the creation are one transaction: no crash can fall between them. */
async function replace(context: RunContext, prepared: Prepared, report: Report): Promise<void> {
  const { intent, entry, act } = await beginDeletion(context, prepared.block.address, report);
  try {
    await act();
  } catch (error) {
    await record(context, intent.address, intent, [outcomeOf(entry, toSluiceError(error))]);
    throw error;
  }
  await create(context, prepared, outcomeOf(entry), report);
}

async function beginDeletion(context: RunContext, address: Address, report: Report) {
  const current = stateOf(context, address) as ResourceState;
  const provider = providerFor(context, current.kind, current.provider);
  const operation = newId('operation', context.random);
  const intent: ResourceState = { ...current, status: 'deleting', operation, updatedAt: timestamp(context.clock.now()) };
  const entry = entryFor(context, intent, 'delete');
  await record(context, address, intent, [intentOf(entry)]);
  return { intent, entry, act: () => call(context, operation, report, (given) => provider.delete(current, given)) };
}

/** Records how an operation ended: the state it leads to, or what is left of the attempt. */
async function settle(
  context: RunContext,
  intent: ResourceState,
  entry: ReturnType<typeof entryFor>,
  work: () => Promise<ResourceState | undefined>,
): Promise<void> {
  let next: ResourceState | undefined;
  try {
    next = await work();
  } catch (thrown) {
    const error = toSluiceError(thrown);
    const left: ResourceState = intent.status === 'deleting' ? intent : { ...intent, status: 'failed' };
    await record(context, intent.address, left, [outcomeOf(entry, error)]);
    throw error;
  }
  await record(context, intent.address, next, [outcomeOf(entry)]);
}

function call<Result>(context: RunContext, id: string, report: Report, work: (operation: Operation) => Promise<Result>): Promise<Result> {
  const operation: Operation = { id, signal: AbortSignal.any([context.cancelled, context.lease.lost]), progress: report };
  return withRetry(context, () => work(operation), {
    signal: context.cancelled,
    onRetry: (error, waitMs) => report(`${error.message} Trying again in ${(waitMs / 1_000).toFixed(1)} s.`),
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
