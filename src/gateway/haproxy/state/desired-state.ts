import type { RoutingTable, ServiceRoute } from '../../routing-table.ts';
import type { Bind, HaproxyServer, PlaneState, RateRule, Shape, Slot } from './plane-state.ts';
import { idOf, routeEntries, sourceKey } from './route-entries.ts';
import { ownerOf, type SlotPool } from './slot-pool.ts';
import { rangesOf } from './split-points.ts';

export interface StateContext {
  readonly pool: SlotPool;
  readonly binds: readonly Bind[];
  /** Name of the server that stands for an instance in a slot. */
  readonly serverName: (slot: string, instance: string) => string;
  readonly isHealthy: (instance: string) => boolean;
}

/** What HAProxy must be to serve by a table with instances in this health. Takes slots from the pool, and changes nothing else. */
export function desiredState(table: RoutingTable, context: StateContext): PlaneState {
  const slotOf = (service: ServiceRoute, release: string): string => context.pool.slotOf(releaseOf(service, release), queueMsOf(service));
  const isHealthy = (service: ServiceRoute, instance: { id: string; host: string; port: number }): boolean =>
    context.isHealthy(instanceKeyOf(service, instance));
  const isReady = (service: ServiceRoute, release: string): boolean =>
    service.backends.some(
      (backend) => backend.release === release && backend.instances.some((each) => each.state === 'active' && isHealthy(service, each)),
    );
  const slots = table.services.flatMap((service) =>
    service.backends.map((backend): Slot => {
      const name = slotOf(service, backend.release);
      const anyReady = isReady(service, backend.release);
      const servers = backend.instances.map((instance): HaproxyServer => {
        const key = instanceKeyOf(service, instance);
        // With no healthy one all are tried: health checks can be wrong, a refusal is certain.
        const gets = instance.state === 'active' && (!anyReady || context.isHealthy(key));
        return {
          name: context.serverName(name, key),
          instance: key,
          host: instance.host,
          port: instance.port,
          state: gets ? 'ready' : 'maint',
          ...queueOf(service),
        };
      });
      return { name, servers };
    }),
  );
  const entries = routeEntries(table, {
    listenerOf: (environment) => {
      const listener = table.listeners.find((each) => each.environment === environment);
      return context.binds.find((bind) => bind.host === listener?.host && bind.port === listener.port)?.name;
    },
    slotOf,
    isReady,
  });
  return { shape: shapeOf(table, context.pool), slots, entries };
}

/** By what the pool knows the releases of a table. */
export function slotOwners(table: RoutingTable): ReadonlySet<string> {
  return new Set(
    table.services.flatMap((service) =>
      service.backends.map((backend) => ownerOf(releaseOf(service, backend.release), queueMsOf(service))),
    ),
  );
}

function releaseOf(service: ServiceRoute, release: string): string {
  return `${idOf(service)}@${release}`;
}

function queueMsOf(service: ServiceRoute): number | undefined {
  const { limits } = service;
  if (limits?.concurrency === undefined) return undefined;
  // HAProxy takes no zero here: a millisecond is as little as it can wait.
  return limits.queue === 0 ? 1 : Math.max(1, Math.round(limits.queueMs));
}

export function instanceKeyOf(service: ServiceRoute, instance: { id: string; host: string; port: number }): string {
  return `${idOf(service)}/${instance.id}@${instance.host}:${instance.port}`;
}

function queueOf(service: ServiceRoute): { maxConnections: number; maxQueue: number } {
  const { limits } = service;
  if (limits?.concurrency === undefined) return { maxConnections: 0, maxQueue: 0 };
  const active = service.backends.flatMap((backend) => backend.instances.filter((instance) => instance.state === 'active')).length;
  return { maxConnections: limits.concurrency, maxQueue: Math.max(1, Math.ceil(limits.queue / Math.max(1, active))) };
}

/** A candidate and stable, and one more: changing from none to those must not take another process. */
const usualRanges = 3;

function shapeOf(table: RoutingTable, pool: SlotPool): Shape {
  const splits = table.services.map((service) => service.split);
  return {
    slots: pool.slots(),
    sources: new Set(splits.flatMap((split) => (split?.affinity === undefined ? [] : [sourceKey(split.affinity)]))),
    overrideHeaders: new Set(splits.flatMap((split) => split?.overrideHeader?.toLowerCase() ?? [])),
    rateRules: table.services.flatMap(rateRulesOf),
    ranges: Math.max(usualRanges, ...table.services.map((service) => rangesOf(service.backends, () => true, service.split?.slots).length)),
    priorities: table.services.some((service) => service.limits !== undefined),
  };
}

/** A token bucket as a window: in as long as the bucket takes to fill, as many as it holds. */
function rateRulesOf(service: ServiceRoute): readonly RateRule[] {
  return (service.rateLimits ?? []).map(({ key, requests, perMs, burst }, index) => ({
    service: idOf(service),
    table: `rates_${service.environment}_${service.name}_${index}`,
    counter: index as 0 | 1 | 2,
    key,
    requests: burst,
    windowMs: Math.max(1, Math.round((burst * perMs) / requests)),
  }));
}

/** Whether a process of shape `has` can do all that `needs` asks for. */
export function covers(has: Shape, needs: Shape): boolean {
  const rates = new Set(has.rateRules.map((rule) => JSON.stringify(rule)));
  return (
    has.ranges >= needs.ranges &&
    (has.priorities || !needs.priorities) &&
    [...needs.slots.keys()].every((slot) => has.slots.has(slot)) &&
    [...needs.sources].every((source) => has.sources.has(source)) &&
    [...needs.overrideHeaders].every((header) => has.overrideHeaders.has(header)) &&
    needs.rateRules.every((rule) => rates.delete(JSON.stringify(rule))) &&
    rates.size === 0
  );
}
