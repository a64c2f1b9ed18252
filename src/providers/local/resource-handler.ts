import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { JsonObject } from '../../digest/json.ts';
import type { Problem } from '../../errors/sluice-error.ts';
import type { Kind, ResolvedBlock, ResolvedStack } from '../../stack/stack.ts';
import type { Applied, Coexistence, CreateRequest, Observation, Operation, UpdateRequest } from '../provider.ts';
import type { ResourceState } from '../resource-state.ts';
import type { DerivedSecrets } from './derived-secrets.ts';
import type { Records } from './records.ts';

/** Variables that `{ env }` secrets are read from, by the name of the stack's environment. */
export interface SecretVariables {
  of(environment: string): Readonly<Record<string, string | undefined>>;
}

/** What every handler of the local provider works with. */
export interface LocalContext {
  /** Absolute SLUICE_HOME. */
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The control plane's environment: the source of the PATH on which servers are looked for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly secretVariables: SecretVariables;
  readonly records: Records;
  readonly secrets: DerivedSecrets;
}

/**
 * Makes resources of one kind real on this machine. Each method has the contract of its namesake in `Provider`, seen from one block;
 * a handler without `fingerprint`, `lossOf`, `suspend` or `resume` has nothing to do there.
 */
export interface ResourceHandler {
  readonly kind: Kind;
  readonly replaceFields: readonly string[];
  /** Absent when there cannot be two copies of a resource. */
  readonly coexistence?: Coexistence;
  check(block: ResolvedBlock, stack: ResolvedStack): Promise<readonly Problem[]>;
  fingerprint?(block: ResolvedBlock, stack: ResolvedStack): Promise<JsonObject>;
  read(resource: ResourceState): Promise<Observation>;
  create(request: CreateRequest, operation: Operation): Promise<Applied>;
  update(request: UpdateRequest, operation: Operation): Promise<Applied>;
  lossOf?(resource: ResourceState): Promise<readonly Problem[]>;
  delete(resource: ResourceState, operation: Operation): Promise<void>;
  suspend?(resource: ResourceState): Promise<void>;
  resume?(resource: ResourceState): Promise<void>;
}
