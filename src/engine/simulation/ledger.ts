import { jsonEquals } from '../../digest/json.ts';
import { placeOf, type ResourceState } from '../../providers/resource-state.ts';
import type { Address } from '../../stack/stack.ts';
import type { Write } from '../../store/store.ts';
import { Violation } from './violation.ts';

/** What is durable, seen from the store's side: checked against every effect, independent of what an engine believes. */
export interface Ledger {
  /** To be told of every transaction that was committed, and by whom. */
  committed(writer: string, writes: readonly Write[]): void;
  stateOf(address: Address): ResourceState | undefined;
  /** What is recorded of the thing with this id. */
  recordOf(id: string): ResourceState | undefined;
  /** Whether this id was ever recorded as what a finished creation made. */
  wasRecorded(id: string): boolean;
  /** Throws unless the intent of this call is durable, not yet closed, and the state says the same. */
  assertIntended(caller: string, operation: string, place: Address, action: 'create' | 'update' | 'delete'): ResourceState;
  /** The same for a move between two places, there or back. */
  assertMoving(caller: string, operation: string, from: Address, to: Address): ResourceState;
}

interface Entry {
  readonly operation: string;
  readonly address: Address;
  readonly action: string;
  readonly phase: 'intent' | 'outcome';
}

export function createLedger(): Ledger {
  const states = new Map<string, ResourceState>();
  /** What stood at an address before what stands there now. */
  const previous = new Map<string, ResourceState | undefined>();
  const recorded = new Set<string>();
  const intents = new Map<string, Entry>();
  let holder: string | undefined;

  const commit = (writer: string, write: Write): void => {
    if (write.operation === 'expect') return;
    if (write.operation === 'append') {
      if (write.log === 'journal') journal(write.value as unknown as Entry);
    } else if (write.collection === 'leases') {
      holder = write.operation === 'delete' ? undefined : (write.value as { readonly owner: string }).owner;
    } else if (write.collection === 'resources') {
      if (holder !== writer)
        throw new Violation('single_writer', `${writer} wrote ${write.key} while ${holder ?? 'nobody'} held the lease`);
      previous.set(write.key, states.get(write.key));
      if (write.operation === 'delete') {
        states.delete(write.key);
        return;
      }
      const state = write.value as unknown as ResourceState;
      states.set(write.key, state);
      if (state.id !== '') recorded.add(state.id);
    }
  };

  const journal = (entry: Entry): void => {
    if (entry.phase === 'intent') intents.set(entry.operation, entry);
    else if (!intents.delete(entry.operation)) {
      throw new Violation('intent_before_effect', `${entry.operation} on ${entry.address} has an outcome but no open intent`);
    }
  };

  return {
    committed: (writer, writes) => {
      for (const write of writes) commit(writer, write);
    },
    stateOf: (address) => states.get(address),
    wasRecorded: (id) => recorded.has(id),
    recordOf: (id) => [...states.values()].find((state) => state.id === id),
    assertIntended: (caller, operation, place, action) => {
      const { state, address } = intended(caller, operation, place, action);
      if (state?.operation !== operation || state.status !== unfinished[action] || placeOf(state) !== place) {
        throw new Violation('intent_before_effect', `${action} ${place} was called while its state is ${state?.status ?? 'missing'}`);
      }
      const before = previous.get(address);
      if (action === 'create' && before?.status === 'creating' && before.operation !== operation && sameContent(before, state)) {
        throw new Violation('no_duplicate', `the creation of ${address} that was cut short goes on as another operation`);
      }
      return state;
    },
    assertMoving: (caller, operation, from, to) => {
      const { state } = intended(caller, operation, from, 'move');
      const places = state && [placeOf(state), state.movingPlace ?? state.movingTo];
      if (state === undefined || from === to || !places?.includes(from) || !places.includes(to)) {
        throw new Violation('intent_before_effect', `${from} is moved to ${to} while nothing durable says so`);
      }
      return state;
    },
  };

  function intended(caller: string, operation: string, place: Address, action: string) {
    const intent = intents.get(operation);
    if (intent?.action !== action) {
      throw new Violation('intent_before_effect', `${action} ${place} was called without a durable intent of ${operation}`);
    }
    if (holder !== caller) throw new Violation('single_writer', `${caller} calls for ${place} while ${holder ?? 'nobody'} holds the lease`);
    return { address: intent.address, state: states.get(intent.address) };
  }
}

function sameContent(left: ResourceState, right: ResourceState): boolean {
  return jsonEquals(contentOf(left), contentOf(right));
}

function contentOf({ declared, fingerprint, resolved }: ResourceState) {
  return [declared, fingerprint, resolved];
}

const unfinished = { create: 'creating', update: 'updating', delete: 'deleting' } as const;
