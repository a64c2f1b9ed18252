import type { JsonObject } from '../../digest/json.ts';
import type { Random } from '../../effects/random.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { CreateRequest, Operation, Provider } from '../../providers/provider.ts';
import { placeOf, type ResourceState } from '../../providers/resource-state.ts';
import { kindSpecs } from '../../stack/kinds/index.ts';
import { type Address, type Kind, kinds } from '../../stack/stack.ts';
import type { Process } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** Shares of calls that something happens to, each in [0, 1]. */
export interface Faults {
  readonly latencyMs: number;
  /** Turned away before any effect, to be tried again. */
  readonly throttling: number;
  /** Fails for good without an effect. */
  readonly failures: number;
  /** Has its effect, but its answer gets lost. */
  readonly lostAnswers: number;
  /** Most resources that may exist. */
  readonly quota: number;
}

export const noFaults: Faults = { latencyMs: 0, throttling: 0, failures: 0, lostAnswers: 0, quota: Number.POSITIVE_INFINITY };

/** Fields that cannot change in place. */
const replaceFields = ['version'];

/** Kinds of which there can be only one at a time, and what two copies of any other may not have in common. */
const single: ReadonlySet<Kind> = new Set(['virtual_machine', 'service']);
const exclusive = ['port'];

/** The cloud as one control plane reaches it: late, unreliably, and checked at every call against what is durable. */
export function simulatedProvider(world: World, process: Process & { readonly random: Random; readonly faults: Faults }): Provider {
  const { scheduler, cloud, ledger, tally } = world;
  const { name, random, faults, living, awake, moment } = process;

  const reach = async (call: string, address: Address): Promise<void> => {
    // What is on its way arrives, however long the process that sent it stands still.
    if (faults.latencyMs > 0) await scheduler.clock.sleep(Math.floor(faults.latencyMs * random.next()));
    await scheduler.turn(`${name} ${call} ${address}`);
    await living();
    if (random.next() >= faults.throttling) return;
    tally.throttled += 1;
    throw sluiceError('simulated_throttling', { address });
  };

  const write = async <Result>(
    call: 'create' | 'update' | 'delete' | 'move',
    address: Address,
    assertIntended: () => ResourceState,
    work: (state: ResourceState) => Result,
  ): Promise<Result> => {
    await moment('before a call');
    const state = checked(scheduler, assertIntended);
    await reach(call, address);
    tally.effects += 1;
    const failure = () => sluiceError('simulated_failure', { call, address });
    if (random.next() < faults.failures) {
      tally.failures += 1;
      throw failure();
    }
    const result = checked(scheduler, () => work(state));
    tally[`${call}s`] += 1;
    await moment('after a call');
    if (random.next() < faults.lostAnswers) {
      tally.lostAnswers += 1;
      throw random.next() < 0.5 ? failure() : sluiceError('simulated_throttling', { address });
    }
    return result;
  };

  /** Nothing starts before what it stands on is durably there. */
  const assertFooting = ({ address, references }: CreateRequest): void => {
    for (const [other, { id }] of references) {
      const state = ledger.stateOf(other);
      if (state?.status === 'ready' && state.id === id) continue;
      throw new Violation('dependencies_first', `${address} starts while ${other} is ${state?.status ?? 'missing'}`);
    }
  };

  /** Two copies are there at once only where that can be. */
  const assertApart = ({ copy, declared, kind }: ResourceState): void => {
    const other = copy?.role === 'next' ? ledger.stateOf(copy.of) : undefined;
    if (other === undefined) return;
    const shared = exclusive.filter((field) => declared[field] !== undefined && declared[field] === other.declared[field]);
    if (!single.has(kind) && shared.length === 0) return;
    throw new Violation('no_duplicate', `a second ${other.address} is made that cannot be there beside the first`);
  };

  const intent =
    (call: 'create' | 'update' | 'delete', place: Address, { id }: Operation) =>
    (): ResourceState =>
      ledger.assertIntended(name, id, place, call);

  return {
    name: 'simulated',
    kinds: kinds.filter((kind) => kind !== 'environment' && kind !== 'variable'),
    replaceFields: () => replaceFields,
    coexistence: (kind) => (single.has(kind) ? undefined : { exclusive }),
    check: async () => [],
    fingerprint: async () => ({}),

    read: async (state) => {
      await reach('read', state.address);
      const observation = cloud.read(state);
      await awake();
      return observation;
    },

    create: (request, operation) =>
      write('create', request.address, intent('create', request.address, operation), (state) => {
        assertFooting(request);
        assertApart(state);
        const [existing] = cloud.at(request.address);
        if (existing !== undefined && existing.operation !== operation.id && ledger.wasRecorded(existing.id)) {
          throw new Violation('no_duplicate', `${request.address} is created although ${existing.id} is there`);
        }
        if (existing === undefined && cloud.resources.size >= faults.quota) {
          tally.quotas += 1;
          throw sluiceError('simulated_quota', { kind: request.kind, limit: faults.quota });
        }
        return cloud.create(request, operation.id);
      }),

    update: (request, operation) =>
      write('update', request.address, intent('update', request.address, operation), () => {
        assertFooting(request);
        const applied = cloud.update(request, request.current.id);
        if (applied === undefined) throw sluiceError('simulated_failure', { call: 'update', address: request.address });
        return applied;
      }),

    delete: (state, operation) =>
      write('delete', state.address, intent('delete', state.address, operation), (recorded) => {
        if (state.id !== '' && mayNotGo(world, recorded)) {
          throw new Violation('protection', `${state.address} may not go unless it is named, and is deleted all the same`);
        }
        if (recorded.copy?.role === 'old') {
          const by = cloud.usersOf(state.id);
          if (by.length > 0) throw new Violation('nobody_stranded', `the old copy ${state.id} goes while ${by.join(' ')} still uses it`);
          tally.oldCopies += 1;
        }
        cloud.delete(state);
      }),

    move: (state, to, operation) =>
      write(
        'move',
        state.address,
        () => ledger.assertMoving(name, operation.id, state.address, to),
        (recorded) => {
          const [from, end] = [recorded.address, recorded.movingTo ?? recorded.address].map((address) => address.split('/')[2] ?? '') as [
            string,
            string,
          ];
          cloud.move(state, to, to === placeOf(recorded) ? { from: end, to: from } : { from, to: end });
        },
      ),

    suspend: async () => {},
    resume: async () => {},
  };
}

/** Whether it is protected, or holds data, and nobody has allowed its loss. */
function mayNotGo({ allowed, emptied }: World, { address, kind, declared, copy }: ResourceState): boolean {
  if (allowed.has(address) || (copy !== undefined && allowed.has(copy.of))) return false;
  const spec: object & { readonly stateful?: (fields: JsonObject) => boolean } = { ...kindSpecs[kind] };
  return declared['protect'] === true || (!emptied.has(address) && (spec.stateful?.(declared) ?? false));
}

/** Runs a step; a promise it finds broken ends the history even where an engine would take it for a failed call. */
export function checked<Result>(scheduler: Scheduler, step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    if (error instanceof Violation) scheduler.stop(error);
    throw error;
  }
}
