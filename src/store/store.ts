import type { Json } from '../digest/json.ts';

/**
 * Durable state: documents by collection and key, and append-only logs, changed together in transactions. The store knows nothing of
 * what it keeps. Collections and logs exist by being used. Throws only SluiceErrors.
 */
export interface Store {
  get(collection: string, key: string): Promise<Document | undefined>;
  /** In key order (by UTF-8 bytes). `prefix` limits to keys that start with it. */
  list(collection: string, prefix?: string): Promise<readonly Document[]>;
  /** All or nothing, durable when it resolves. Throws `store_conflict` (retry) if an expectation does not hold; then nothing is changed. */
  transact(writes: readonly Write[]): Promise<Receipt>;
  /** Entries with a sequence greater than `after`, oldest first. */
  read(log: string, after: number, limit: number): Promise<readonly LogEntry[]>;
  /** Sequence of the newest entry; 0 for an empty log. */
  last(log: string): Promise<number>;
  close(): Promise<void>;
}

export interface Document {
  readonly key: string;
  /** 1 for the first write, one more for each later one; starts again at 1 after a deletion. */
  readonly version: number;
  readonly value: Json;
}

export interface LogEntry {
  /** Strictly growing within the log, starting at 1; never given twice. */
  readonly sequence: number;
  readonly value: Json;
}

export type Write =
  /** `ifVersion: 0` demands that the key does not exist yet. */
  | { readonly operation: 'put'; readonly collection: string; readonly key: string; readonly value: Json; readonly ifVersion?: number }
  | { readonly operation: 'delete'; readonly collection: string; readonly key: string; readonly ifVersion?: number }
  /** Changes nothing; demands the version (0: absence) for the transaction, also against writers that run at the same moment. */
  | { readonly operation: 'expect'; readonly collection: string; readonly key: string; readonly ifVersion: number }
  | { readonly operation: 'append'; readonly log: string; readonly value: Json };

/** One number per write, in order: the new version of a put, the sequence of an append, 0 for a delete, the version for an expectation. */
export type Receipt = readonly number[];
