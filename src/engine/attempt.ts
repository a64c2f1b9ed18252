// How one operation of a change begins and ends in the records.
import { jsonEquals, type JsonObject } from '../digest/json.ts';
import { timestamp } from '../effects/clock.ts';
import type { SluiceError } from '../errors/sluice-error.ts';
import type { Applied, CreateRequest, Provider } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address, ResolvedBlock } from '../stack/stack.ts';
import { type JournalEntry, outcomeOf } from './journal.ts';
import { storeOutputs } from './outputs.ts';
import { record, type RunContext, stateOf } from './run-context.ts';
import type { Telling } from './telling.ts';

/** All that a provider is given, and what will be recorded of it. */
export interface Prepared {
  readonly block: ResolvedBlock;
  readonly provider: Provider;
  readonly request: CreateRequest;
  readonly resolved: ResourceState['resolved'];
  readonly dependencies: readonly Address[];
}

/** The first record of a resource: all that is known of it before its provider has answered. */
export function newRecord(
  { provider, request, resolved, dependencies }: Prepared,
  now: number,
  more: Pick<ResourceState, 'status' | 'operation'> & Partial<ResourceState>,
): ResourceState {
  const { address, environment, kind, name, declared, fingerprint, root } = request;
  const at = timestamp(now);
  const what = { address, environment, kind, name, declared, fingerprint, root };
  return { ...what, provider: provider.name, id: '', resolved, outputs: {}, dependencies, createdAt: at, updatedAt: at, ...more };
}

/** Records how an operation ended: the state it leads to, or what is left of the attempt. What goes on is not told as finished. */
export async function settle(
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
  const isOver = !context.unfinished.has(intent.address);
  await record(context, intent.address, next, [outcomeOf(entry)], isOver ? await telling.finished() : []);
}

/** Records a failure, without the secrets that may be in its words, and returns it. */
export async function failed(
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

export function ready(context: RunContext, { standsOn: _before, ...state }: ResourceState, { id, outputs }: Applied): ResourceState {
  const copied = state.dependencies.filter((dependency) => context.copies.hasOld(dependency));
  const standsOn = Object.fromEntries(copied.map((dependency) => [dependency, stateOf(context, dependency)?.id ?? '']));
  return {
    ...state,
    ...(copied.length > 0 && { standsOn }),
    status: 'ready',
    id,
    outputs: storeOutputs(outputs, context.vault),
    updatedAt: timestamp(context.clock.now()),
  };
}

/** Whether an interrupted creation asked for exactly the same: then its operation goes on and the provider adopts what it made. */
export function continues(
  before: ResourceState | undefined,
  declared: JsonObject,
  fingerprint: JsonObject,
  resolved: ResourceState['resolved'],
): before is ResourceState {
  if (before?.status !== 'creating') return false;
  return jsonEquals([before.declared, before.fingerprint, before.resolved], [declared, fingerprint, resolved]);
}

/** Until a change is done, its resource may depend on what it is leaving as well as on what it is turning to. */
export function either(before: ResourceState | undefined, dependencies: readonly Address[]): readonly Address[] {
  return [...new Set([...(before?.dependencies ?? []), ...dependencies])];
}

export function entryFor(context: RunContext, { operation, address }: ResourceState, action: JournalEntry['action']) {
  return { operation, run: context.run, address, action, time: timestamp(context.clock.now()) };
}
