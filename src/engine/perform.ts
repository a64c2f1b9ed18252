import { timestamp } from '../effects/clock.ts';
import { newId } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { localAddress } from '../plan/decide.ts';
import type { Action, Change } from '../plan/plan.ts';
import { withObserved } from '../plan/refresh.ts';
import type { Provider } from '../providers/provider.ts';
import { placeOf, type ResourceState } from '../providers/resource-state.ts';
import type { Address, Kind, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import { continues, either, entryFor, failed, type Prepared, ready, settle } from './attempt.ts';
import { call } from './call.ts';
import { dependencyValues, referencedResources, resolvedDigests, resolveFields } from './dependency-values.ts';
import { intentOf, type JournalEntry, outcomeOf } from './journal.ts';
import { observe } from './observe.ts';
import { replaceBeside } from './replace-beside.ts';
import { record, type RunContext, stateOf } from './run-context.ts';
import type { Telling } from './telling.ts';

/**
 * Makes one change real. Before each call to a provider the intent and the state it leads through are durable; after it, the outcome
 * and the new state, each pair in one transaction. Throws what went wrong, after recording it.
 */
export async function perform(context: RunContext, change: Change, action: Exclude<Action, 'none'>, telling: Telling): Promise<void> {
  const { address } = change;
  const failedMove = context.failedMoves.get(address);
  if (failedMove !== undefined) throw failedMove;
  if (change.from !== undefined) telling.report(`moved from ${localAddress(change.from)}`);
  if (action === 'move') return;
  if (action === 'delete') return remove(context, address, telling);
  if (action === 'refresh') return refresh(context, address, telling);
  const prepared = prepare(context, address);
  if (action === 'adopt') return adopt(context, prepared, change.id ?? '', telling);
  if (action === 'update') return update(context, prepared, telling);
  if (action === 'replace') {
    return change.replacement?.order === 'create_first' ? replaceBeside(context, prepared, telling) : replace(context, prepared, telling);
  }
  return create(context, prepared, undefined, telling);
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
  const operation = continues(before, declared, fingerprint, resolved) ? before.operation : newId('operation', context.random);
  const place = before === undefined ? context.copies.freePlace(address, operation) : placeOf(before);
  const intent: ResourceState = {
    address,
    ...(place !== address && { placedAt: place }),
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
    operation,
    createdAt: now,
    updatedAt: now,
  };
  const entry = entryFor(context, intent, 'create');
  await record(context, address, intent, [...(deletion ? [deletion] : []), intentOf(entry)], telling.started());
  await settle(context, intent, entry, telling, async () => {
    const applied = await call(context, provider, operation, telling, (given) => provider.create({ ...request, address: place }, given));
    return ready(context, { ...intent, dependencies }, applied);
  });
}

/**
 * Nothing is recorded before the provider has answered: cut short, the import begins again, and a creation that comes instead takes over
 * what is there.
 */
async function adopt(context: RunContext, prepared: Prepared, id: string, telling: Telling): Promise<void> {
  const { provider, request, resolved, dependencies } = prepared;
  const { address, environment, kind, name, declared, fingerprint, root } = request;
  const takeOver = provider.import?.bind(provider);
  if (takeOver === undefined) {
    throw sluiceError('import_unsupported', { kind, provider: provider.name, reason: 'it can only make them' });
  }
  const now = timestamp(context.clock.now());
  const operation = newId('operation', context.random);
  const before = stateOf(context, address);
  const place = before === undefined ? context.copies.freePlace(address, operation) : placeOf(before);
  const state: ResourceState = {
    address,
    ...(place !== address && { placedAt: place }),
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
  await record(context, address, before, [intentOf(entry)], telling.started());
  let next: ResourceState;
  try {
    const applied = await call(context, provider, operation, telling, (given) => takeOver({ ...request, address: place, id }, given));
    next = ready(context, state, applied);
  } catch (thrown) {
    const error = context.secrets.scrubError(thrown);
    // Whoever has lost the right to write does not write down that he has.
    if (error.code !== 'lease_lost') await record(context, address, before, [outcomeOf(entry, error)], await telling.failed(error));
    throw error;
  }
  await record(context, address, next, [outcomeOf(entry)], await telling.finished());
}

/** Asks again what is there and writes it down; nothing real is touched. */
async function refresh(context: RunContext, address: Address, telling: Telling): Promise<void> {
  const current = stateOf(context, address) as ResourceState;
  const observation = await observe(context, providerFor(context, current.kind, current.provider), current);
  const operation = newId('operation', context.random);
  const entry = entryFor(context, { ...current, operation }, 'refresh');
  if (observation.status === 'absent') return record(context, address, undefined, [outcomeOf(entry)], await telling.finished());
  const next: ResourceState = {
    ...current,
    declared: withObserved(current.declared, observation.drift),
    outputs: { ...current.outputs, ...observation.outputs },
    operation,
    updatedAt: timestamp(context.clock.now()),
  };
  await record(context, address, next, [outcomeOf(entry)], await telling.finished());
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
      provider.update({ ...request, current, ...(!isAwaited(context, address) && { unawaited: true }) }, operation),
    );
    if (applied.goesOn) context.unfinished.set(address, { intent, entry, telling, goesOn: applied.goesOn });
    return ready(context, { ...rest, declared, fingerprint, resolved, dependencies, root }, applied);
  });
}

/** Whether anything else in the run comes after this change, or may be given other values by it. */
function isAwaited({ plan, blocks }: RunContext, address: Address): boolean {
  const takes = (other: Address) => blocks.get(other)?.references.some((each) => each.address === address && each.output !== undefined);
  return plan.changes.some((other) => other.after.includes(address) && (other.action !== 'none' || takes(other.address) === true));
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
