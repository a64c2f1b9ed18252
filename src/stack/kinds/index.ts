import type { z } from 'zod';
import type { JsonObject } from '../../digest/json.ts';
import type { Kind, ResolvedBlock } from '../stack.ts';
import { cache } from './cache.ts';
import { database } from './database.ts';
import { environment } from './environment.ts';
import { flag } from './flag.ts';
import { grant } from './grant.ts';
import { host } from './host.ts';
import type { KindSpec } from './kind-spec.ts';
import { network } from './network.ts';
import { notification } from './notification.ts';
import { pipeline } from './pipeline.ts';
import { queue } from './queue.ts';
import { resourceGroup } from './resource_group.ts';
import { role } from './role.ts';
import { secret } from './secret.ts';
import { service } from './service.ts';
import { tunnel } from './tunnel.ts';
import { variable } from './variable.ts';
import { virtualMachine } from './virtual_machine.ts';

const specs = {
  environment,
  variable,
  resource_group: resourceGroup,
  network,
  virtual_machine: virtualMachine,
  database,
  cache,
  queue,
  host,
  tunnel,
  secret,
  service,
  flag,
  notification,
  pipeline,
  role,
  grant,
} as const satisfies Record<Kind, KindSpec>;

/** What the language knows of each kind. */
export const kindSpecs: Readonly<Record<Kind, KindSpec>> = specs;

/** Whether a resource of this kind with these fields holds what cannot be made again. */
export function isStateful(kind: Kind, fields: JsonObject): boolean {
  return kindSpecs[kind].stateful?.(fields) ?? false;
}

/** The checked fields of a block of kind `K`, defaults filled in. */
export type FieldsOf<K extends Kind> = z.output<(typeof specs)[K]['schema']>;

/** The fields of a block with their types. Throws TypeError when the block is of another kind. */
export function fieldsOf<K extends Kind>(block: Pick<ResolvedBlock, 'kind' | 'fields'>, kind: K): FieldsOf<K> {
  if (block.kind !== kind) throw new TypeError(`a ${block.kind} was read as a ${kind}`);
  return block.fields as unknown as FieldsOf<K>;
}

export type { SecretFields } from './secret.ts';
export type { ServiceFields } from './service.ts';
export type { VirtualMachineFields } from './virtual_machine.ts';
