import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { Receipt, Write } from './store.ts';

/** A write whose value is text already: as it was when it was asked for. */
export type Prepared =
  | { readonly operation: 'put'; readonly collection: string; readonly key: string; readonly text: string; readonly ifVersion?: number }
  | Extract<Write, { operation: 'delete' | 'expect' }>
  | { readonly operation: 'append'; readonly log: string; readonly text: string };

/** What the store holds of all that a batch of transactions touches. */
export interface Found {
  /** Versions by `slotOf`; absent is 0. */
  readonly versions: ReadonlyMap<string, number>;
  /** Newest sequence by log; absent is 0. */
  readonly heads: ReadonlyMap<string, number>;
}

/** What has to be written for a batch, and what each of its transactions is told. */
export interface Settlement {
  readonly outcomes: readonly (Receipt | SluiceError)[];
  readonly puts: readonly { readonly collection: string; readonly key: string; readonly version: number; readonly text: string }[];
  readonly deletes: readonly { readonly collection: string; readonly key: string }[];
  readonly appends: readonly { readonly log: string; readonly sequence: number; readonly text: string }[];
}

export function slotOf(collection: string, key: string): string {
  return `${collection}\0${key}`;
}

export function prepareWrite(write: Write): Prepared {
  if (write.operation === 'delete' || write.operation === 'expect') return write;
  const { value, ...rest } = write;
  return { ...rest, text: JSON.stringify(value) };
}

interface Slot {
  readonly collection: string;
  readonly key: string;
  /** Undefined: deleted. */
  readonly text: string | undefined;
  readonly version: number;
}

/**
 * Runs transactions one after the other against what was found, in memory: each sees those before it, and one whose expectation does not
 * hold changes nothing and is told so. Only the last state of each document is left to write.
 */
export function settle(batch: readonly (readonly Prepared[])[], found: Found): Settlement {
  const slots = new Map<string, Slot>();
  const heads = new Map(found.heads);
  const appends: Settlement['appends'][number][] = [];
  const outcomes = batch.map((writes) => {
    const undo: (() => void)[] = [];
    try {
      return writes.map((write) => perform(write, undo));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      for (const step of undo.toReversed()) step();
      return error;
    }
  });
  const touched = [...slots.values()];
  return {
    outcomes,
    puts: touched.flatMap(({ text, ...rest }) => (text === undefined ? [] : [{ ...rest, text }])),
    deletes: touched.flatMap(({ collection, key, text }) => (text === undefined ? [{ collection, key }] : [])),
    appends,
  };

  function perform(write: Prepared, undo: (() => void)[]): number {
    if (write.operation === 'append') {
      const { log, text } = write;
      const before = heads.get(log) ?? 0;
      heads.set(log, before + 1);
      appends.push({ log, sequence: before + 1, text });
      undo.push(() => {
        heads.set(log, before);
        appends.pop();
      });
      return before + 1;
    }
    const { collection, key, ifVersion: expected } = write;
    const slot = slotOf(collection, key);
    const before = slots.get(slot);
    const version = before?.version ?? found.versions.get(slot) ?? 0;
    if (expected !== undefined && version !== expected) throw sluiceError('store_conflict', { collection, key, expected, found: version });
    if (write.operation === 'expect') return version;
    undo.push(() => {
      if (before === undefined) slots.delete(slot);
      else slots.set(slot, before);
    });
    if (write.operation === 'delete') {
      slots.set(slot, { collection, key, text: undefined, version: 0 });
      return 0;
    }
    slots.set(slot, { collection, key, text: write.text, version: version + 1 });
    return version + 1;
  }
}
