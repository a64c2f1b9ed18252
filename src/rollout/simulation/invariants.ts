import type { BackendRoute } from '../../gateway/routing-table.ts';
import { isLive, targetGeneration, type Instance, type ServiceState } from '../service-state.ts';
import type { Watch, World } from './world.ts';

export interface Invariants extends Watch {
  /** What did not hold, in words; empty when everything did. */
  readonly violations: readonly string[];
}

/** The invariants of DESIGN.md that a rollout has to keep, looked at from outside at every effect. */
export function watchInvariants(): Invariants {
  const violations: string[] = [];
  const drainUntil = new Map<string, number>();
  const onceDraining = new Set<string>();
  let current: ServiceState | undefined;

  const check = (holds: boolean, what: string): void => {
    if (!holds) violations.push(what);
  };

  return {
    violations,

    stored(before, after, world) {
      current = after;
      if (!before || !after) return;
      const movedOn = after.stable === before.stable || after.stable === before.candidate?.generation;
      check(movedOn, `5: ${after.stable} became stable without having been the candidate`);
      for (const instance of after.instances) if (instance.drainUntil !== undefined) drainUntil.set(instance.id, instance.drainUntil);
      const retired = after.instances.filter(
        ({ id, phase }) => phase === 'draining' && phaseIn(before, id) === 'ready' && getsRequests(id, world),
      );
      if (retired.length === 0 || after.mode !== 'running') return;
      const serving = after.instances.filter((instance) => instance.phase === 'ready' && isActive(instance, world)).length;
      const floor = capacityFloor(before, after);
      check(serving >= floor, `2: ${retired.map(({ id }) => id).join()} left while ${serving} of ${floor} served`);
    },

    stops(instance, state, world) {
      const inFlight = world.traffic.inFlightOf(instance);
      const late = world.clock.now() >= (drainUntil.get(instance) ?? Number.POSITIVE_INFINITY);
      const alive = world.workloads.isReady(instance);
      check(!alive || inFlight === 0 || late, `1: ${instance} stopped with ${inFlight} requests in flight`);
      const known = state?.instances.find(({ id }) => id === instance);
      check(known === undefined || !alive || !isActive(known, world), `1: ${instance} stopped while it could get new requests`);
    },

    published(world) {
      const { backends = [], mirror } = world.traffic.route({ environment: 'default', name: 'agent' }) ?? {};
      const copied = (backends.find(({ release }) => release === mirror?.release)?.instances ?? []).filter(
        ({ state }) => state === 'active',
      );
      const carried = (100 * copied.length) / Math.max(1, current?.replicas ?? 1);
      check(mirror === undefined || mirror.percent <= carried + 1e-6, `2: copies of ${mirror?.percent} % for ${copied.length} instances`);
      for (const { id, state } of backends.flatMap(({ instances }) => instances)) {
        if (state === 'draining') onceDraining.add(id);
        else check(!onceDraining.has(id), `1: ${id} got new requests again after it had begun to drain`);
      }
      for (const overload of overloads(backends, current)) check(false, `2: ${overload}`);
    },
  };
}

/**
 * Releases whose instances get more each than an instance would if all the load were spread over as many as are declared, or over those
 * there are. What stable cannot carry because its own instances are down is no fault of a rollout.
 */
function overloads(backends: readonly BackendRoute[], state: ServiceState | undefined): string[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const active = backends.reduce((sum, backend) => sum + activeOf(backend), 0);
  const spread = Math.min(state?.replicas ?? active, active);
  const stable = state?.revisions.find(({ generation }) => generation === state.stable)?.release;
  return backends
    .filter((backend) => backend.weight > 0 && (backend.weight / total) * spread > activeOf(backend) + 1e-6)
    .filter((backend) => backend.release !== stable || activeOf(backend) >= spread)
    .map((backend) => `${backend.release} has ${backend.weight} of ${total} for ${activeOf(backend)} of ${active} instances`);
}

function activeOf({ instances }: BackendRoute): number {
  return instances.filter(({ state }) => state === 'active').length;
}

function capacityFloor(before: ServiceState, after: ServiceState): number {
  const target = targetGeneration(after);
  if (target === undefined) return 0;
  const replacing = before.instances.some((instance) => instance.generation !== target && isLive(instance));
  return after.replicas - (replacing ? after.settings.rollout.maxUnavailable : 0);
}

/** What gets no requests is no capacity that could be missed. */
function getsRequests(instance: string, { traffic }: World): boolean {
  const backends = traffic.route({ environment: 'default', name: 'agent' })?.backends ?? [];
  return backends.some(({ weight, instances }) => weight > 0 && instances.some(({ id, state }) => id === instance && state === 'active'));
}

function phaseIn(state: ServiceState, id: string): Instance['phase'] | undefined {
  return state.instances.find((instance) => instance.id === id)?.phase;
}

function isActive(instance: Instance, { traffic }: World): boolean {
  const backends = traffic.route({ environment: 'default', name: 'agent' })?.backends ?? [];
  return backends.some(({ instances }) =>
    instances.some(({ id, port, state }) => id === instance.id && port === instance.process?.port && state === 'active'),
  );
}
