import type { Json, JsonObject } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { Document, Store, Write } from './store.ts';

interface Stored {
  readonly version: number;
  /** The store's own and frozen, so that nobody can change what is stored by changing what they passed or got. */
  readonly value: Json;
}

/** The store in memory, for simulations and tests; held to the same contract as the durable one. */
export function createMemoryStore(): Store {
  const collections = new Map<string, Map<string, Stored>>();
  const logs = new Map<string, string[]>();
  let closed = false;

  const collectionOf = (name: string): Map<string, Stored> => entryOf(collections, name, () => new Map<string, Stored>());
  const logOf = (name: string): string[] => entryOf(logs, name, () => []);
  const opened = (): void => {
    if (closed) throw sluiceError('store_closed', {});
  };

  /** Performs one write and returns its receipt and how to undo it. */
  const perform = (write: Write): { readonly receipt: number; readonly undo: () => void } => {
    if (write.operation === 'append') {
      const log = logOf(write.log);
      return { receipt: log.push(JSON.stringify(write.value)), undo: () => log.pop() };
    }
    const { collection, key, ifVersion: expected } = write;
    const documents = collectionOf(collection);
    const previous = documents.get(key);
    const found = previous?.version ?? 0;
    if (expected !== undefined && found !== expected) throw sluiceError('store_conflict', { collection, key, expected, found });
    if (write.operation === 'expect') return { receipt: found, undo: () => undefined };
    const undo = (): void => {
      if (previous === undefined) documents.delete(key);
      else documents.set(key, previous);
    };
    if (write.operation === 'delete') {
      documents.delete(key);
      return { receipt: 0, undo };
    }
    documents.set(key, { version: found + 1, value: kept(write.value) });
    return { receipt: found + 1, undo };
  };

  return {
    get: async (collection, key) => {
      opened();
      const stored = collections.get(collection)?.get(key);
      return stored && toDocument(key, stored);
    },
    list: async (collection, prefix = '') => {
      opened();
      return [...(collections.get(collection) ?? [])]
        .filter(([key]) => key.startsWith(prefix))
        .toSorted(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
        .map(([key, stored]) => toDocument(key, stored));
    },
    transact: async (writes) => {
      opened();
      const done: { readonly receipt: number; readonly undo: () => void }[] = [];
      try {
        for (const write of writes) done.push(perform(write));
      } catch (error) {
        for (const { undo } of done.toReversed()) undo();
        throw error;
      }
      return done.map(({ receipt }) => receipt);
    },
    read: async (log, after, limit) => {
      opened();
      const first = Math.max(0, after);
      return (logs.get(log) ?? [])
        .slice(first, first + limit)
        .map((text, index) => ({ sequence: first + index + 1, value: JSON.parse(text) as Json }));
    },
    last: async (log) => {
      opened();
      return logs.get(log)?.length ?? 0;
    },
    close: async () => {
      closed = true;
    },
  };
}

function toDocument(key: string, { version, value }: Stored): Document {
  return { key, version, value };
}

/** Values that a store has made its own. */
const owned = new WeakSet<object>();

/** A frozen copy, as it would be after it was written down and read; what a store gave out itself is shared. */
function kept(value: Json): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null;
  if (typeof value !== 'object' || value === null || owned.has(value)) return value;
  const copy = Array.isArray(value) ? value.map((part: Json | undefined) => kept(part ?? null)) : keptMembers(value as JsonObject);
  owned.add(copy);
  return Object.freeze(copy);
}

function keptMembers(value: JsonObject): JsonObject {
  const copy: Record<string, Json> = {};
  for (const [name, part] of Object.entries(value)) if (part !== undefined) copy[name] = kept(part);
  return copy;
}

function entryOf<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
