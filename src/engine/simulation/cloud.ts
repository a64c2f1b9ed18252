import { jsonEquals, type JsonObject } from '../../digest/json.ts';
import type { Applied, CreateRequest, Drift, Observation, OutputValue } from '../../providers/provider.ts';
import type { ResourceState } from '../../providers/resource-state.ts';
import { kindSpecs } from '../../stack/kinds/index.ts';
import type { Address, Kind } from '../../stack/stack.ts';
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
  /** Ids: what it was told to use, whatever stands at that address by now. */
  readonly refersTo: readonly string[];
}

/** What really exists, apart from any control plane. Everything here happens at once and without faults. */
export interface Cloud {
  readonly resources: Map<string, CloudResource>;
  /** Deletions that left someone referring to what is gone, in order. */
  readonly stranded: { readonly address: Address; readonly by: readonly Address[] }[];
  /** Who was told to use this one. */
  usersOf(id: string): readonly Address[];
  /** Success when it is there already. */
  move(state: ResourceState, to: Address, names: { readonly from: string; readonly to: string }): void;
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
    const resource = {
      id,
      address,
      kind,
      operation,
      declared,
      fields,
      running: true,
      refersTo: Array.from(references.values(), (other) => other.id),
    };
    resources.set(id, resource);
    return { id, outputs: outputsOf(resource) };
  };

  const usersOf = (id: string): readonly Address[] =>
    [...resources.values()].filter(({ refersTo }) => refersTo.includes(id)).map((resource) => resource.address);

  return {
    resources,
    stranded,
    at,
    usersOf,
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
      const by = gone.flatMap((resource) => usersOf(resource.id));
      if (by.length > 0) stranded.push({ address, by });
    },
    move: ({ id, kind, address }, to, names) => {
      // What a creation that was cut short has made is known by its address alone.
      const resource = id === '' ? at(address)[0] : resources.get(id);
      if (resource === undefined || resource.address === to) return;
      const [other] = at(to);
      if (other !== undefined && other.id !== resource.id)
        throw new Violation('no_duplicate', `${resource.id} is moved to ${to}, where ${other.id} is`);
      const renamed = (fields: JsonObject): JsonObject => ({ ...fields, name: names.to });
      resources.set(resource.id, { ...resource, address: to, declared: renamed(resource.declared), fields: renamed(resource.fields) });
      for (const [key, each] of resources) resources.set(key, { ...each, declared: follow(each.declared, kind, names) });
    },
  };
}

/** What the others were told follows: the values stay the same, only the name in the text changes. */
function follow(declared: JsonObject, kind: Kind, { from, to }: { readonly from: string; readonly to: string }): JsonObject {
  const [before, after] = [`\${${kind}.${from}`, `\${${kind}.${to}`];
  const text = ['.', '}'].reduce((written, end) => written.replaceAll(before + end, () => after + end), JSON.stringify(declared));
  return JSON.parse(text) as JsonObject;
}

function driftOf(state: ResourceState, { declared, running }: CloudResource): readonly Drift[] {
  const fields = [...new Set([...Object.keys(state.declared), ...Object.keys(declared)])];
  const changed = fields
    .filter((field) => !jsonEquals(state.declared[field], declared[field]))
    .map((field): Drift => ({ field, applied: state.declared[field] ?? null, observed: declared[field] ?? null }));
  return running ? changed : [...changed, { field: 'state', applied: 'running', observed: 'stopped' }];
}
