import { type Digest, digestJson } from '../digest/digest.ts';
import type { Json, JsonObject } from '../digest/json.ts';

/** Who did something: the name of a key and its id, or a part of Sluice that acted by itself (without one). */
interface AuditActor {
  readonly name: string;
  readonly key?: string;
}

/** What is to be recorded. Never a secret. */
export interface AuditEntry {
  readonly actor: AuditActor;
  /** `plan.apply`, `service.scale`, `key.create`: what was done, or was about to be done. */
  readonly action: string;
  /**
   * `begun` is written before the change, `ended` after it, so that no change goes unrecorded and a crash between the two shows; `done`
   * stands for a change that was made in the very transaction of its record.
   */
  readonly phase: 'begun' | 'ended' | 'done';
  /** Of an `ended`: sequence of the `begun` it belongs to. */
  readonly of?: number;
  readonly outcome?: 'succeeded' | 'failed' | 'cancelled';
  /** Code of the error of what failed. */
  readonly error?: string;
  readonly environment?: string;
  /** What it was done to: the address of a resource, the id of a key. */
  readonly target?: string;
  /** The run, or the operation on a database, that it was. */
  readonly run?: string;
  readonly plan?: string;
  /** Digest of the whole plan as it was shown. */
  readonly planDigest?: Digest;
  /** Why, in the words of whoever did it. */
  readonly reason?: string;
  readonly details?: JsonObject;
}

/** An entry in its place: each record names the digest of the one before, so none can be changed, removed or moved unseen. */
export interface AuditRecord extends AuditEntry {
  readonly sequence: number;
  readonly time: string;
  readonly previous: Digest;
  readonly digest: Digest;
}

/** Where the log ends. `seal` is keyed: it cannot be made without the key of the vault. */
export interface AuditHead {
  readonly count: number;
  readonly digest: Digest;
  readonly seal: string;
}

/** `previous` of the first record. */
export const origin: Digest = digestJson('the beginning of the audit log');

export function chained(entry: AuditEntry, place: Pick<AuditRecord, 'sequence' | 'time' | 'previous'>): AuditRecord {
  const { sequence, time, previous } = place;
  const record = { ...entry, sequence, time, previous };
  return { ...record, digest: digestOf(record) };
}

/** Digest of everything a record says, the digest before it included. */
export function digestOf(record: Omit<AuditRecord, 'digest'> & { readonly digest?: Digest }): Digest {
  const { digest: _, ...said } = record;
  return digestJson(said as unknown as Json);
}
