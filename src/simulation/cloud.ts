import { jsonEquals, type JsonObject } from '../digest/json.ts';
import type { Applied, CreateRequest, Drift, Observation, OutputValue } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import { kindSpecs } from '../stack/kinds/index.ts';
import type { Address, Kind } from '../stack/stack.ts';
import { Violation } from './violation.ts';

/** One thing that really exists. Its provider knows it by id; the address is only a label on it, so nothing but care prevents a second. */
interface CloudResource {
  readonly id: string;
  readonly address: Address;
  readonly kind: Kind;
  /** The operation that made it. */
  readonly operation: string;
  readonly declared: JsonObject;
  /** Fields with all values put in. */
  readonly fields: JsonObject;
  readonly running: boolean;
  readonly refersTo: readonly Address[];
}

/** What really exists, apart from any control plane. Everything here happens at once and without faults. */
export interface Cloud {
  readonly resources: Map<string, CloudResource>;
  /** Deletions that left someone referring to what is gone, in order. */
  readonly stranded: { readonly address: Address; readonly by: readonly Address[] }[];
  at(address: Address): readonly CloudResource[];
  read(state: ResourceState): Observation;
  /** Takes over what is at the address, as the port demands for creations that failed. */
  create(request: CreateRequest, operation: string): Applied;
  /** Undefined when it is not there. */
  update(request: CreateRequest, id: string): Applied | undefined;
  delete(state: ResourceState): void;
}

/** A value no store, plan or message may ever hold. */
export const canary = 'canary-7c1f';

export function createCloud(outputsChange: boolean): Cloud {
  const resources = new Map<string, CloudResource>();
  const stranded: Cloud['stranded'] = [];
  let made = 0;

  const at = (address: Address): CloudResource[] => [...resources.values()].filter((resource) => resource.address === address);

  const outputsOf = ({ id, kind, fields }: CloudResource): Readonly<Record<string, OutputValue>> => {
    const suffix = outputsChange ? `/${JSON.stringify(fields['size'] ?? 0)}` : '';
    return Object.fromEntries(
      Object.entries(kindSpecs[kind].outputs).map(([name, { secret }]) => [
        name,
        { value: `${secret ? canary : 'plain'}:${id}/${name}${suffix}`, secret },
      ]),
    );
  };

  const put = ({ address, kind, declared, fields, references }: CreateRequest, id: string, operation: string): Applied => {
    const resource = { id, address, kind, operation, declared, fields, running: true, refersTo: [...references.keys()] };
    resources.set(id, resource);
    return { id, outputs: outputsOf(resource) };
  };

  return {
    resources,
    stranded,
    at,
    read: (state) => {
      const resource = resources.get(state.id);
      if (resource === undefined) return { status: 'absent' };
      const open = Object.entries(outputsOf(resource)).filter(([, { secret }]) => !secret);
      return {
        status: 'present',
        drift: driftOf(state, resource),
        outputs: Object.fromEntries(open.map(([name, { value }]) => [name, { value }])),
      };
    },
    create: (request, operation) => {
      const [existing, another] = at(request.address);
      if (another !== undefined) throw new Violation('no_duplicate', `${request.address} is there twice`);
      if (existing?.operation === operation) return { id: existing.id, outputs: outputsOf(existing) };
      if (existing !== undefined) return put(request, existing.id, operation);
      made += 1;
      return put(request, `${request.kind}-${made}`, operation);
    },
    update: (request, id) => {
      const existing = resources.get(id);
      return existing && put(request, id, existing.operation);
    },
    delete: ({ address, id }) => {
      const gone = id === '' ? at(address) : at(address).filter((resource) => resource.id === id);
      for (const resource of gone) resources.delete(resource.id);
      const by = [...resources.values()].filter(({ refersTo }) => refersTo.includes(address)).map((resource) => resource.address);
      if (gone.length > 0 && by.length > 0) stranded.push({ address, by });
    },
  };
}

function driftOf(state: ResourceState, { declared, running }: CloudResource): readonly Drift[] {
  const fields = [...new Set([...Object.keys(state.declared), ...Object.keys(declared)])];
  const changed = fields
    .filter((field) => !jsonEquals(state.declared[field], declared[field]))
    .map((field): Drift => ({ field, applied: state.declared[field] ?? null, observed: declared[field] ?? null }));
  return running ? changed : [...changed, { field: 'state', applied: 'running', observed: 'stopped' }];
}
