import type { JsonObject } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { CreateRequest, Operation, Provider } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import { kindSpecs } from '../stack/kinds/index.ts';
import { type Address, kinds } from '../stack/stack.ts';
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

/** The cloud as one control plane reaches it: late, unreliably, and checked at every call against what is durable. */
export function simulatedProvider(
  world: World,
  process: Process & { readonly clock: Clock; readonly random: Random; readonly faults: Faults },
): Provider {
  const { scheduler, cloud, ledger, tally } = world;
  const { name, clock, random, faults, living, awake, moment } = process;

  const reach = async (call: string, address: Address): Promise<void> => {
    if (faults.latencyMs > 0) await clock.sleep(Math.floor(faults.latencyMs * random.next()));
    await scheduler.turn(`${name} ${call} ${address}`);
    await living();
    if (random.next() >= faults.throttling) return;
    tally.throttled += 1;
    throw sluiceError('simulated_throttling', { address });
  };

  const write = async <Result>(
    call: 'create' | 'update' | 'delete',
    address: Address,
    { id: operation }: Operation,
    work: () => Result,
  ): Promise<Result> => {
    await moment('before a call');
    checked(scheduler, () => ledger.assertIntended(name, operation, address, call));
    await reach(call, address);
    tally.effects += 1;
    const failure = () => sluiceError('simulated_failure', { call, address });
    if (random.next() < faults.failures) {
      tally.failures += 1;
      throw failure();
    }
    const result = checked(scheduler, work);
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

  return {
    name: 'simulated',
    kinds: kinds.filter((kind) => kind !== 'environment' && kind !== 'variable'),
    replaceFields: () => replaceFields,
    check: async () => [],
    fingerprint: async () => ({}),

    read: async (state) => {
      await reach('read', state.address);
      const observation = cloud.read(state);
      await awake();
      return observation;
    },

    create: (request, operation) =>
      write('create', request.address, operation, () => {
        assertFooting(request);
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
      write('update', request.address, operation, () => {
        assertFooting(request);
        const applied = cloud.update(request, request.current.id);
        if (applied === undefined) throw sluiceError('simulated_failure', { call: 'update', address: request.address });
        return applied;
      }),

    delete: (state, operation) =>
      write('delete', state.address, operation, () => {
        const recorded = ledger.stateOf(state.address);
        if (recorded !== undefined && state.id !== '' && mayNotGo(world, recorded)) {
          throw new Violation('protection', `${state.address} may not go unless it is named, and is deleted all the same`);
        }
        cloud.delete(state);
      }),

    suspend: async () => {},
    resume: async () => {},
  };
}

/** Whether it is protected, or holds data, and nobody has allowed its loss. */
function mayNotGo({ allowed, emptied }: World, { address, kind, declared }: ResourceState): boolean {
  if (allowed.has(address)) return false;
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
