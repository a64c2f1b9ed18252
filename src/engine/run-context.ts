import type { JsonObject } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import type { SluiceError } from '../errors/sluice-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { GoingOn } from '../providers/provider.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Address, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import type { Store, Write } from '../store/store.ts';
import type { EventLog, NewEvent } from '../telemetry/events.ts';
import type { KnownSecrets } from '../secrets/known-secrets.ts';
import type { CopyBook } from './copy-book.ts';
import { appendJournal, type JournalEntry } from './journal.ts';
import type { LeaseOwner } from './lease-owner.ts';
import type { Lease } from './lease.ts';
import type { RateLimits } from './rate-limit.ts';
import { resourceCollection, type VersionedState } from './states.ts';

export interface EngineDependencies {
  readonly store: Store;
  readonly providers: ProviderRegistry;
  readonly vault: Vault;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  /** Who this engine is to others over the same store; this process unless told otherwise. */
  readonly owner?: LeaseOwner;
  /** What is taken out of the words of providers. Whoever gives it gives a vault that it learns from; one of its own when absent. */
  readonly secrets?: KnownSecrets;
}

/** One run of one plan. */
export interface RunContext extends Omit<EngineDependencies, 'secrets'> {
  readonly secrets: KnownSecrets;
  readonly limits: RateLimits;
  readonly plan: Plan;
  readonly run: string;
  /** Who wants it. */
  readonly by?: string;
  readonly stack: ResolvedStack | undefined;
  readonly blocks: ReadonlyMap<Address, ResolvedBlock>;
  readonly fingerprints: ReadonlyMap<Address, JsonObject>;
  /** What is recorded at this moment; kept in step with the store by `record`. */
  readonly states: Map<Address, VersionedState>;
  /** What `states` says of copies, kept in step with it. */
  readonly copies: CopyBook;
  /** Why a resource could not be moved to the address it is kept under; filled before anything else is done. */
  readonly failedMoves: Map<Address, SluiceError>;
  /** Changes that are made and whose consequences go on, by address. */
  readonly unfinished: Map<Address, Unfinished>;
  readonly lease: Lease;
  /** Aborted when the user cancels: nothing new is begun. */
  readonly cancelled: AbortSignal;
}

/** A change that is made and recorded, while what it began goes on by itself. */
export interface Unfinished {
  /** What is recorded of it should it fail in the end. */
  readonly intent: ResourceState;
  readonly entry: Omit<JournalEntry, 'phase' | 'ok' | 'error'>;
  readonly goesOn: GoingOn;
  /** How it is told on the way and at its end. */
  readonly telling: {
    report(message: string): void;
    finished(): Promise<readonly NewEvent[]>;
    failed(error: SluiceError): Promise<readonly NewEvent[]>;
    durationMs(): number;
  };
}

/** The state of one resource (undefined removes it) with what tells of it: see `recordAll`. */
export function record(
  context: RunContext,
  address: Address,
  next: ResourceState | undefined,
  entries: readonly JournalEntry[],
  events: readonly NewEvent[] = [],
): Promise<void> {
  return recordAll(context, [[address, next]], entries, events);
}

/**
 * Writes states (undefined removes one), journal entries and the events that tell of them in one transaction: no crash falls between a
 * change and the news of it. The version each state had and the fencing token are named, so a writer that was overtaken fails instead of
 * overwriting.
 */
export async function recordAll(
  context: RunContext,
  states: readonly (readonly [Address, ResourceState | undefined])[],
  entries: readonly JournalEntry[],
  events: readonly NewEvent[] = [],
): Promise<void> {
  const writes = states.map(([key, next]): Write => {
    const place = { collection: resourceCollection, key, ifVersion: context.states.get(key)?.version ?? 0 };
    return next === undefined
      ? { operation: 'delete', ...place }
      : { operation: 'put', ...place, value: { ...next } as unknown as JsonObject };
  });
  const versions = await context.lease.transact([
    ...writes,
    ...entries.map(appendJournal),
    ...events.map((event) => context.events.entry(event)),
  ]);
  if (events.length > 0) context.events.announce();
  for (const [index, [address, next]] of states.entries()) {
    if (next === undefined) {
      context.states.delete(address);
      continue;
    }
    context.states.set(address, { state: next, version: versions[index] as number });
    context.copies.note(next);
  }
}

export function stateOf(context: RunContext, address: Address): ResourceState | undefined {
  return context.states.get(address)?.state;
}
