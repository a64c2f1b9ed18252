import type { JsonObject } from '../digest/json.ts';
import type { Problem, SourcePosition } from '../errors/sluice-error.ts';
import type { PolicyRule } from './policy/rule.ts';

/** The kinds of the language, in the order in which documentation lists them. */
export const kinds = [
  'environment',
  'variable',
  'resource_group',
  'network',
  'virtual_machine',
  'database',
  'cache',
  'queue',
  'host',
  'tunnel',
  'secret',
  'service',
  'flag',
  'notification',
  'pipeline',
  'role',
  'grant',
] as const;
export type Kind = (typeof kinds)[number];

/** `environment/kind/name`. */
export type Address = `${string}/${Kind}/${string}`;

/** One mention of another block: by a reference field (`runs_on: agents-01`) or by an interpolation (`${database.db.url}`). */
export interface Reference {
  /** Where it stands in the fields, for example `env.DATABASE_URL`. */
  readonly path: string;
  readonly kind: Kind;
  readonly name: string;
  readonly address: Address;
  /** The output read by an interpolation; absent for a reference field. */
  readonly output?: string;
  /** Whether the referrer needs the other to exist first. `calls` only permits traffic, so it orders nothing and may be circular. */
  readonly ordering: boolean;
  readonly position: SourcePosition;
}

/**
 * A block of one environment: variables are put in, defaults are filled in, the kind's schema holds. Interpolations of outputs
 * (`${database.db.url}`, `${secret.key}`) still stand as written: their values are known only when the resources exist, and they keep
 * secrets out of plans and state. `$${` stands for a literal `${`.
 */
export interface ResolvedBlock {
  readonly kind: Kind;
  readonly name: string;
  readonly address: Address;
  readonly fields: JsonObject;
  readonly references: readonly Reference[];
  readonly position: SourcePosition;
  /** Position of a field by its dotted path (`network_interface.private_ip`, `calls.0`); the nearest enclosing one if it was a default. */
  positionOf(path: string): SourcePosition;
  /** Whether the text itself says something about this field; false for one that is only a default. */
  declares(path: string): boolean;
}

export interface EnvironmentSettings {
  readonly name: string;
  readonly provider: string;
  /** All fields of the environment's block, for engines that read them (approval, promote_from). */
  readonly fields: JsonObject;
  readonly position?: SourcePosition;
}

/** The top-level key under which a stack says what was renamed. It is no kind: it declares nothing. */
export const movedKey = 'moved';

/** One entry of it: the resource that was declared as `from` is declared as `to` now, and stays what it is. */
export interface Moved {
  readonly kind: Kind;
  /** Names within the kind. */
  readonly from: string;
  readonly to: string;
  readonly position: SourcePosition;
}

/**
 * A stack as one environment sees it. `blocks` holds no `variable`, and of the kind `environment` only the chosen one, if it says how its
 * gateway serves: fields `name` and `gateway`.
 */
export interface ResolvedStack {
  /** Absolute path of the folder all paths of the stack are relative to. */
  readonly root: string;
  readonly files: readonly string[];
  readonly environment: EnvironmentSettings;
  readonly environments: readonly string[];
  readonly blocks: readonly ResolvedBlock[];
  /** What was renamed, each chain followed to its end. */
  readonly moved?: readonly Moved[];
  /** Rules on plans of this stack, from `policies/plan` beside it. */
  readonly policies?: readonly PolicyRule[];
}

/** What loading yields: a stack, or everything that is wrong with it. Warnings may come with a stack. */
export type Loaded<Value> =
  | { readonly ok: true; readonly value: Value; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };
