import { isActive, routeOfAgent } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch } from './world.ts';

/** 1: nothing is stopped before its work is done or its drain deadline reached, and nothing that drains gets new work. */
export function requestWatch({ check }: Witness): Watch {
  const drainUntil = new Map<string, number>();
  const onceDraining = new Set<string>();
  return watching({
    stored(_, after) {
      for (const instance of after?.instances ?? [])
        if (instance.drainUntil !== undefined) drainUntil.set(instance.id, instance.drainUntil);
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
      for (const { id, state } of routeOfAgent(world).flatMap(({ instances }) => instances)) {
        if (state === 'draining') onceDraining.add(id);
        else check(!onceDraining.has(id), `1: ${id} got new requests again after it had begun to drain`);
      }
    },
  });
}
