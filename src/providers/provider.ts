import type { Json, JsonObject } from '../digest/json.ts';
import type { Problem } from '../errors/sluice-error.ts';
import type { Address, Kind, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import type { Drift, ResourceOutputs, ResourceState } from './resource-state.ts';

export type { Drift } from './resource-state.ts';

/**
 * Makes resources of some kinds real. Every method throws only SluiceErrors; the error's retry class decides what the engine does
 * (terminal: the change has failed; wait and retry: try again with backoff). The engine calls methods of different resources at the
 * same time, never two for one resource.
 */
export interface Provider {
  readonly name: string;
  readonly kinds: readonly Kind[];

  /** How many calls it bears: `burst` at once, then `perSecond`. Calls beyond wait. Unlimited when absent. */
  readonly rateLimit?: { readonly perSecond: number; readonly burst: number };

  /** How many changes it bears at the same time; 10 when absent. */
  readonly concurrency?: number;

  /** Dotted paths of fields that cannot change in place: a change to one (or below one) replaces the resource. */
  replaceFields(kind: Kind): readonly string[];

  /**
   * Whether two copies of a resource can be there at once, under two addresses: then a replacement makes the new one first. Undefined when
   * they cannot, also when the method is absent: then the old one goes first.
   */
  coexistence?(kind: Kind): Coexistence | undefined;

  /**
   * Everything that can be known before anything is changed: fields and values whose engine comes later (`unsupported_field`), versions
   * that are not available, capacity that is over-committed. Notes say honestly what will not be enforced here. Changes nothing.
   * Called with the blocks of the stack; the provider looks at the kinds it makes and may look at all.
   */
  check(stack: ResolvedStack): Promise<readonly Problem[]>;

  /**
   * Content that the fields only name (a source folder, a prompt file), as values that take part in the diff and are recorded with
   * the resource. Empty when the fields say it all. Changes nothing.
   */
  fingerprint(block: ResolvedBlock, stack: ResolvedStack): Promise<JsonObject>;

  /**
   * How much an update to what the block now says can go wrong, by what is different; undefined when that cannot be told or nothing is.
   * Called after `check` has found no error. Changes nothing.
   */
  riskOf?(block: ResolvedBlock, stack: ResolvedStack): Promise<'low' | 'medium' | 'high' | undefined>;

  /**
   * Which way what the block now says would be brought into use, and what that takes meanwhile; undefined where nothing is replaced a little
   * at a time. Called after `check` has found no error. Changes nothing.
   */
  rolloutOf?(block: ResolvedBlock, stack: ResolvedStack): Promise<RolloutForecast | undefined>;

  /** What is there now. Never throws because a resource is gone: that is `absent`. */
  read(resource: ResourceState): Promise<Observation>;

  /**
   * Idempotent by `operation.id`: called again after a crash with the same id it adopts what the first call made, and never makes a
   * second. A resource that the address already has from a failed creation is taken over.
   */
  create(request: CreateRequest, operation: Operation): Promise<Applied>;

  /** Brings an existing resource to `fields`, and repairs drift. Idempotent. */
  update(request: UpdateRequest, operation: Operation): Promise<Applied>;

  /** What goes with a resource besides itself, as notes for a plan that deletes or replaces it. Changes nothing. */
  lossOf?(resource: ResourceState): Promise<readonly Problem[]>;

  /** Leaves nothing behind: no process, port or file. Success when it was gone already. */
  delete(resource: ResourceState, operation: Operation): Promise<void>;

  /**
   * The resource answers to the address `to` from now on; identity, outputs, data and what runs stay. Idempotent: success when it is
   * there already, also when `resource` is still given with its old address. Without an id it is what a creation that was cut short may
   * have left at its address. A provider without it cannot move its kinds.
   */
  move?(resource: ResourceState, to: Address, operation: Operation): Promise<void>;

  /**
   * Takes over the existing thing `request.id` as `request.address`, and changes as little of it as it can: what still differs shows in
   * the next plan. Idempotent. Throws `import_not_found`, `import_unsupported`. A provider without it adopts nothing.
   */
  import?(request: ImportRequest, operation: Operation): Promise<Applied>;

  /**
   * Stops what runs (`sluice down`) and keeps identity and data. Resources without processes have nothing to do. An aborted `signal` ends
   * waits: it rejects then, unless everything has stopped.
   */
  suspend(resource: ResourceState, signal?: AbortSignal): Promise<void>;

  /**
   * After a suspension, a reboot or a restart of the control plane: runs again what should run. Adopts what is still running. An aborted
   * `signal` ends waits.
   */
  resume(resource: ResourceState, signal?: AbortSignal): Promise<void>;
}

/** A rollout before it begins, for whoever decides on a plan. */
export interface RolloutForecast {
  readonly strategy: string;
  /** Why this strategy, where it was chosen and not declared. */
  readonly because?: string;
  /** In words: its steps, and what it is taken back for. */
  readonly way: string;
  /** Why there will be no such rollout: an apply of it is refused, and changes nothing. */
  readonly refused?: string;
  readonly cost: {
    /** Copies beside those that are there anyway. */
    readonly extra: { readonly least: number; readonly most: number };
    /** How long at least; 0 where that is not known beforehand. */
    readonly forMs: number;
    readonly instanceMinutes: number;
    readonly words: string;
  };
}

export interface Coexistence {
  /** Dotted paths of fields whose value only one resource can have at a time: a fixed address, port or name. */
  readonly exclusive: readonly string[];
}

export interface Operation {
  readonly id: string;
  /** Who wants it, by name; absent for work nobody asked for. */
  readonly by?: string;
  /** Aborted when nobody wants the result any more: the run was cancelled, or its right to write is lost. Ends waits at once. */
  readonly signal: AbortSignal;
  /**
   * Aborted only when the right to write is lost; `signal` where absent. For work that ends by itself within seconds and is finished in
   * spite of a cancel, because half of it helps nobody.
   */
  readonly lost?: AbortSignal;
  /** Reports one line of progress to whoever watches ("waiting for PostgreSQL to accept connections"). */
  progress(message: string): void;
}

export interface CreateRequest {
  readonly address: Address;
  readonly environment: string;
  readonly kind: Kind;
  readonly name: string;
  /** Fields with every interpolation replaced by its value. May contain secrets: for use, never for storage or messages. */
  readonly fields: JsonObject;
  /** The same fields as written; this is what may be stored and shown. */
  readonly declared: JsonObject;
  readonly fingerprint: JsonObject;
  /** Folder the stack's relative paths start from. */
  readonly root: string;
  /** State of every resource this one refers to, with opened outputs. */
  readonly references: ReadonlyMap<Address, ReferencedResource>;
}

export interface ReferencedResource {
  readonly address: Address;
  readonly kind: Kind;
  readonly name: string;
  readonly id: string;
  readonly declared: JsonObject;
  readonly outputs: Readonly<Record<string, Json>>;
}

export interface UpdateRequest extends CreateRequest {
  readonly current: ResourceState;
  /** Nothing else in the run comes after this change: what goes on by itself may be answered as soon as it is begun. */
  readonly unawaited?: true;
}

interface ImportRequest extends CreateRequest {
  /** The provider's own name of what is taken over. */
  readonly id: string;
}

export interface Applied {
  /** The provider's own name of the resource; unique within the provider, stable for the resource's life. */
  readonly id: string;
  readonly outputs: Readonly<Record<string, OutputValue>>;
  /**
   * Only of an update. What it began goes on by itself, perhaps for days, whether or not anybody watches: the change counts as made, and
   * others may be made in the environment meanwhile. `outputs` are those of now.
   */
  readonly goesOn?: GoingOn;
}

export interface GoingOn {
  /** Resolves when it has ended well; rejects with why it has not, at the latest when the signal is aborted or a later change takes its place. */
  end(operation: Operation): Promise<void>;
  /** What is left to do after a good end, as the environment's only writer again. */
  finish(operation: Operation): Promise<Applied>;
}

export interface OutputValue {
  readonly value: Json;
  /** A secret is sealed before it is stored and masked wherever it is shown. */
  readonly secret: boolean;
}

export type Observation =
  | { readonly status: 'absent' }
  | {
      readonly status: 'present';
      readonly drift: readonly Drift[];
      readonly outputs?: ResourceOutputs;
      /** What it is made from says something else by now (the file of a secret). A plan sees this by the fingerprint, a look for drift by this. */
      readonly sources?: readonly Drift[];
    };
