import { timestamp } from '../effects/clock.ts';
import { newId } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { JsonObject } from '../digest/json.ts';
import { renameState } from '../plan/moves.ts';
import { placeOf, type ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import type { Write } from '../store/store.ts';
import { call } from './call.ts';
import { appendJournal, intentOf, outcomeOf } from './journal.ts';
import { record, type RunContext, stateOf } from './run-context.ts';
import { resourceCollection } from './states.ts';

/**
 * Gives what the plan moves its new address, before anything else of the plan is done: first with the provider, then, in one
 * transaction, its record and every mention of it in other records. A move that an earlier run left half done and this plan does not
 * make is taken back first. What cannot be moved is in `context.failedMoves`.
 */
export async function performMoves(context: RunContext): Promise<void> {
  const moves = context.plan.changes.flatMap(({ address, from }) => (from === undefined ? [] : [{ from, to: address }]));
  const planned = new Map(moves.map(({ from, to }) => [from, to]));
  for (const { state } of context.states.values()) {
    const { address, movingTo } = state;
    if (movingTo === undefined || planned.get(address) === movingTo) continue;
    await orFail(context, address, () => takeBack(context, state, movingTo));
  }
  for (const { from, to } of moves) {
    if (context.cancelled.aborted) return;
    await orFail(context, to, () => move(context, from, to));
  }
}

/** What the store or the lease says ends the run; anything else is the affair of this one resource. */
async function orFail(context: RunContext, address: Address, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const error = context.secrets.scrubError(thrown);
    if (error.code.startsWith('store_') || error.code === 'lease_lost') throw error;
    context.failedMoves.set(address, error);
  }
}

async function move(context: RunContext, from: Address, to: Address): Promise<void> {
  const { movingTo, movingPlace, ...before } = stateOf(context, from) as ResourceState;
  const operation = newId('operation', context.random);
  const place = movingTo === to ? (movingPlace ?? to) : context.copies.freePlace(to, operation);
  const moving: ResourceState = { ...before, movingTo: to, ...(place !== to && { movingPlace: place }) };
  const entry = { operation, run: context.run, address: from, action: 'move', time: timestamp(context.clock.now()) } as const;
  await record(context, from, moving, [intentOf(entry)]);
  try {
    await moveWithProvider(context, before, place, operation);
  } catch (thrown) {
    const error = context.secrets.scrubError(thrown);
    // Whoever has lost the right to write does not write down that he has.
    if (error.code !== 'lease_lost') await record(context, from, moving, [outcomeOf(entry, error)]);
    throw error;
  }
  await rename(context, before, { to, place }, appendJournal(outcomeOf(entry)));
}

/** The record under its new key, the old key gone and every mention changed, all at once. */
async function rename(
  context: RunContext,
  { placedAt: _left, ...before }: ResourceState,
  { to, place }: { readonly to: Address; readonly place: Address },
  outcome: Write,
): Promise<void> {
  const renames = new Map([[before.address, to]]);
  const moved: ResourceState = {
    ...renameState(before, renames),
    ...(place !== to && { placedAt: place }),
    updatedAt: timestamp(context.clock.now()),
  };
  const others = [...context.states.values()].flatMap(({ state, version }) => {
    const next = state.address === before.address ? state : renameState(state, renames);
    return next === state ? [] : [{ next, version }];
  });
  const version = context.states.get(before.address)?.version ?? 0;
  const receipt = await context.lease.transact([
    { operation: 'delete', collection: resourceCollection, key: before.address, ifVersion: version },
    put(moved, 0),
    ...others.map(({ next, version: ifVersion }) => put(next, ifVersion)),
    outcome,
  ]);
  context.states.delete(before.address);
  for (const [index, state] of [moved, ...others.map(({ next }) => next)].entries()) {
    context.states.set(state.address, { state, version: receipt[index + 1] as number });
    context.copies.note(state);
  }
}

function put(state: ResourceState, ifVersion: number): Write {
  return { operation: 'put', collection: resourceCollection, key: state.address, value: { ...state } as unknown as JsonObject, ifVersion };
}

async function takeBack(context: RunContext, state: ResourceState, movingTo: Address): Promise<void> {
  const { movingTo: _to, movingPlace = movingTo, ...settled } = state;
  const operation = newId('operation', context.random);
  const entry = { operation, run: context.run, address: state.address, action: 'move', time: timestamp(context.clock.now()) } as const;
  await record(context, state.address, state, [intentOf(entry)]);
  await moveWithProvider(context, { ...state, placedAt: movingPlace }, placeOf(state), operation);
  await record(context, state.address, settled, [outcomeOf(entry)]);
}

async function moveWithProvider(context: RunContext, state: ResourceState, to: Address, id: string): Promise<void> {
  const provider = context.providers.providerFor(state.kind, state.provider);
  const { kind, provider: name } = state;
  if (provider?.move === undefined) throw sluiceError('unsupported_kind', { kind, provider: name });
  const moveTo = provider.move.bind(provider);
  await call(context, provider, id, { report: () => undefined }, (operation) => moveTo(state, to, operation));
}
