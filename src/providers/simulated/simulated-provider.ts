import { digestJson } from '../../digest/digest.ts';
import { jsonEquals, type JsonObject } from '../../digest/json.ts';
import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { kindSpecs } from '../../stack/kinds/index.ts';
import { type Address, type Kind, kinds } from '../../stack/stack.ts';
import type { Applied, Coexistence, CreateRequest, Drift, OutputValue, Provider } from '../provider.ts';
import type { ResourceState } from '../resource-state.ts';
import { noteReferences, type SimulatedEffect, type SimulatedResource, type SimulatedWorld } from './simulated-world.ts';

export interface SimulatedBehaviour {
  /** Time a call takes, in milliseconds; between half and all of it. */
  readonly latencyMs?: number;
  /** Most resources of a kind. */
  readonly quota?: Partial<Record<Kind, number>>;
  /** Share of calls turned away before they have any effect, to be tried again. */
  readonly throttling?: number;
  /** Share of writes that fail for good; half of them after they had their effect, as when an answer is lost. */
  readonly failures?: number;
  /** Fields that cannot change in place. */
  readonly replaceFields?: Partial<Record<Kind, readonly string[]>>;
  /** Kinds of which two copies can be there at once, and what may not be the same in both. */
  readonly coexistence?: Partial<Record<Kind, Coexistence>>;
  /** Whether outputs take new values with every change of fields; otherwise they last as long as the resource. */
  readonly volatileOutputs?: boolean;
}

/** Makes all kinds, in memory. The same seed and the same calls give the same faults. */
export function createSimulatedProvider(dependencies: {
  readonly world: SimulatedWorld;
  readonly clock: Clock;
  readonly random: Random;
  readonly behaviour?: SimulatedBehaviour;
}): Provider {
  const { world, clock, random, behaviour = {} } = dependencies;
  const { latencyMs = 0, quota = {}, throttling = 0, failures = 0, replaceFields = {}, volatileOutputs = false } = behaviour;
  const { coexistence = {} } = behaviour;

  const answer = async <Result>(address: Address, work: () => Result): Promise<Result> => {
    if (latencyMs > 0) await clock.sleep(latencyMs * (0.5 + random.next() / 2));
    if (random.next() < throttling) throw sluiceError('simulated_throttling', { address });
    return work();
  };

  const write = <Result>(call: SimulatedEffect['call'], address: Address, work: () => Result): Promise<Result> =>
    answer(address, () => {
      const fails = random.next() < failures;
      const failure = () => sluiceError('simulated_failure', { call, address });
      if (fails && random.next() < 0.5) throw failure();
      const existing = world.resources.get(address);
      const result = work();
      world.effects.push({ call, address, ...consequences(call, address, existing) });
      if (fails) throw failure();
      return result;
    });

  const consequences = (call: SimulatedEffect['call'], address: Address, before: SimulatedResource | undefined) => {
    if (call === 'create') return { tookOver: before !== undefined && before.operation !== world.resources.get(address)?.operation };
    if (call !== 'delete') return {};
    const stranded = [...(world.referrers.get(address) ?? [])].filter((other) => world.resources.get(other)?.refersTo.includes(address));
    world.referrers.set(address, new Set(stranded));
    return { stranded };
  };

  const applied = (resource: SimulatedResource): Applied => ({ id: resource.id, outputs: outputsOf(resource, volatileOutputs) });

  const put = (request: CreateRequest, id: string, operation: string): Applied => {
    const { kind, name, declared, fields, references } = request;
    const resource = { id, kind, name, operation, declared, fields, running: true, refersTo: placesOf(world, references) };
    world.resources.set(request.address, resource);
    noteReferences(world, request.address, resource.refersTo);
    return applied(resource);
  };

  const setRunning = (call: 'suspend' | 'resume', { address }: ResourceState): Promise<void> =>
    write(call, address, () => {
      const resource = world.resources.get(address);
      if (resource) world.resources.set(address, { ...resource, running: call === 'resume' });
    });

  return {
    name: 'simulated',
    concurrency: 200,
    kinds: kinds.filter((kind) => kind !== 'environment' && kind !== 'variable'),
    replaceFields: (kind) => replaceFields[kind] ?? [],
    coexistence: (kind) => coexistence[kind],
    check: async () => [],
    fingerprint: async () => ({}),

    read: (state) =>
      answer(state.address, () => {
        const resource = world.resources.get(state.address);
        if (resource === undefined || resource.id !== state.id) return { status: 'absent' } as const;
        const open = Object.entries(outputsOf(resource, volatileOutputs)).filter(([, { secret }]) => !secret);
        const outputs = Object.fromEntries(open.map(([name, { value }]) => [name, { value }] as const));
        return { status: 'present', drift: driftOf(state, resource), outputs } as const;
      }),

    create: (request, operation) =>
      write('create', request.address, () => {
        const { address, kind } = request;
        const existing = world.resources.get(address);
        if (existing?.operation === operation.id) return applied(existing);
        if (existing !== undefined) return put(request, existing.id, operation.id);
        const limit = quota[kind];
        const used = (): number => [...world.resources.values()].filter((resource) => resource.kind === kind).length;
        if (limit !== undefined && used() >= limit) throw sluiceError('simulated_quota', { kind, limit });
        world.made += 1;
        return put(request, `${kind}-${world.made}`, operation.id);
      }),

    update: (request) =>
      write('update', request.address, () => put(request, request.current.id, world.resources.get(request.address)?.operation ?? '')),

    delete: ({ address }) =>
      write('delete', address, () => {
        world.resources.delete(address);
      }),

    move: ({ address, id }, to) =>
      write('move', address, () => {
        const resource = world.resources.get(address);
        // What a creation that was cut short has made is known by its address alone.
        if (resource === undefined || (id !== '' && resource.id !== id)) return;
        const name = to.slice(to.lastIndexOf('/') + 1);
        world.resources.delete(address);
        const renamed = (fields: JsonObject): JsonObject => (Object.hasOwn(fields, 'name') ? { ...fields, name } : fields);
        world.resources.set(to, { ...resource, name, declared: renamed(resource.declared), fields: renamed(resource.fields) });
        follow(world, address, to);
      }),

    import: (request, operation) =>
      write('import', request.address, () => {
        const { address, kind, id, references } = request;
        const found = [...world.resources].find(([, resource]) => resource.id === id && resource.kind === kind);
        if (found === undefined) {
          const known = [...world.resources.values()].filter((resource) => resource.kind === kind).map((resource) => resource.id);
          throw sluiceError('import_not_found', { kind, id, known });
        }
        const [before, resource] = found;
        world.resources.delete(before);
        const adopted = { ...resource, name: request.name, operation: operation.id, refersTo: placesOf(world, references) };
        world.resources.set(address, adopted);
        return applied(adopted);
      }),

    suspend: (state) => setRunning('suspend', state),
    resume: (state) => setRunning('resume', state),
  };
}

/** Where the resources are that one refers to: of two copies the one that is meant. */
function placesOf({ resources }: SimulatedWorld, references: CreateRequest['references']): readonly Address[] {
  return Array.from(references, ([address, { id }]) => {
    const known = resources.get(address);
    if (known === undefined || known.id === id) return address;
    return [...resources].find(([, resource]) => resource.id === id)?.[0] ?? address;
  });
}

/** How an interpolation of an output of the resource begins. */
function expression(address: Address): string {
  return `\${${address.split('/').slice(1).join('.')}`;
}

/** What others were told of a resource follows it to its new address: the values stay the same, only the name in the text changes. */
function follow(world: SimulatedWorld, from: Address, to: Address): void {
  for (const [other, resource] of world.resources) {
    if (!resource.refersTo.includes(from)) continue;
    const text = JSON.stringify(resource.declared);
    const renamed = ['.', '}'].reduce((written, end) => written.replaceAll(expression(from) + end, () => expression(to) + end), text);
    const refersTo = resource.refersTo.map((referred) => (referred === from ? to : referred));
    world.resources.set(other, { ...resource, refersTo, declared: JSON.parse(renamed) as JsonObject });
  }
}

/** One value for every output the language knows of the kind. */
function outputsOf({ id, kind, fields }: SimulatedResource, volatile: boolean): Readonly<Record<string, OutputValue>> {
  const suffix = volatile ? `/${digestJson(fields).slice(-8)}` : '';
  return Object.fromEntries(
    Object.entries(kindSpecs[kind].outputs).map(([name, { secret }]) => [name, { value: `simulated://${id}/${name}${suffix}`, secret }]),
  );
}

function driftOf(state: ResourceState, { declared, running }: SimulatedResource): readonly Drift[] {
  const fields = [...new Set([...Object.keys(state.declared), ...Object.keys(declared)])].toSorted();
  const changed = fields
    .filter((field) => !jsonEquals(state.declared[field], declared[field]))
    .map((field): Drift => ({ field, applied: state.declared[field] ?? null, observed: declared[field] ?? null }));
  return running ? changed : [...changed, { field: 'state', applied: 'running', observed: 'stopped' }];
}
