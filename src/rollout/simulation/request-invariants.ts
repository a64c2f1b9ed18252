import { isActive, routeOfAgent } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch } from './world.ts';

const gatewayPatienceMs = 8_000;
/** A clock that is set by less is not noticed. */
const correctionMs = 1_000;

/** 1: nothing is stopped before its work is done or its drain deadline reached, and nothing that drains gets new work. */
export function requestWatch({ check }: Witness): Watch {
  /** In elapsed time, of one controller or with a clock that nobody has set. */
  const drainUntil = new Map<string, { readonly at: number; readonly jumps: number; readonly lives: number }>();
  const onceDraining = new Set<string>();
  /** Since when those that drain do, in elapsed time. */
  const drainsSince = new Map<string, number>();
  let publishedAt = Number.NEGATIVE_INFINITY;
  return watching({
    stored(_, after, { clock, lives }) {
      for (const { id, phase, drainUntil: until } of after?.instances ?? []) {
        if (until !== undefined && !drainUntil.has(id)) {
          drainUntil.set(id, { at: clock.monotonic() + until - clock.now(), jumps: clock.jumps(), lives: lives() });
        }
        if (phase === 'draining' && !drainsSince.has(id)) drainsSince.set(id, clock.monotonic());
      }
    },

    stops(instance, state, world) {
      const inFlight = world.traffic.inFlightOf(instance);
      const deadline = drainUntil.get(instance);
      const jumped = world.clock.jumps() - (deadline?.jumps ?? 0);
      const isUnknown = jumped > 0 && deadline?.lives !== world.lives();
      const late = deadline !== undefined && (isUnknown || world.clock.monotonic() >= deadline.at - jumped * correctionMs);
      const alive = world.workloads.isReady(instance);
      // Who takes a service away waits for a gateway that cannot be reached, but not for ever.
      const since = drainsSince.get(instance) ?? Number.POSITIVE_INFINITY;
      const isUnreachable = publishedAt < since && world.clock.monotonic() - since >= gatewayPatienceMs;
      if (state && state.mode !== 'running' && isUnreachable) return;
      check(!alive || inFlight === 0 || late, `1: ${instance} stopped with ${inFlight} requests in flight`);
      const known = state?.instances.find(({ id }) => id === instance);
      check(known === undefined || !alive || !isActive(known, world), `1: ${instance} stopped while it could get new requests`);
    },

    published(world) {
      publishedAt = world.clock.monotonic();
      for (const { id, state } of routeOfAgent(world).flatMap(({ instances }) => instances)) {
        if (state === 'draining') onceDraining.add(id);
        else check(!onceDraining.has(id), `1: ${id} got new requests again after it had begun to drain`);
      }
    },
  });
}
