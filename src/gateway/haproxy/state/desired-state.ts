import type { RoutingTable, ServiceRoute } from '../../routing-table.ts';
import { fastRelease } from './fast-path.ts';
import type { Bind, HaproxyServer, PlaneState, Slot } from './plane-state.ts';
import { idOf, routeEntries } from './route-entries.ts';
import type { SlotPool } from './slot-pool.ts';

export interface StateContext {
  readonly pool: SlotPool;
  readonly binds: readonly Bind[];
  /** Name of the server that stands for an instance. */
  readonly serverName: (instance: string) => string;
  readonly isHealthy: (instance: string) => boolean;
  /** HAProxy answers nothing by itself. */
  readonly isAllRelayed?: boolean;
}

/** What HAProxy must be to serve by a table with instances in this health. Takes slots from the pool, and changes nothing else. */
export function desiredState(table: RoutingTable, { pool, binds, serverName, isHealthy, isAllRelayed }: StateContext): PlaneState {
  const slots: Slot[] = [];
  const slotByService = new Map<ServiceRoute, string>();
  for (const service of table.services) {
    const isUp = (instance: { id: string; host: string; port: number }): boolean => isHealthy(instanceKeyOf(service, instance));
    const isReady = (release: string): boolean =>
      service.backends.some(
        (backend) => backend.release === release && backend.instances.some((each) => each.state === 'active' && isUp(each)),
      );
    const backend = service.expose.length === 0 || isAllRelayed === true ? undefined : fastRelease(service, isReady);
    if (backend === undefined) continue;
    const { release } = backend;
    const hosts = new Set(service.expose.map(({ host }) => host));
    const [exposed] = hosts.size === 1 ? hosts : [];
    const name = pool.slotOf(ownerOf(service, release));
    const anyReady = isReady(release);
    const servers = backend.instances.map((instance): HaproxyServer => {
      const key = instanceKeyOf(service, instance);
      // With no healthy one all are tried: health checks can be wrong, a refusal is certain.
      const gets = instance.state === 'active' && (!anyReady || isUp(instance));
      return {
        name: serverName(key),
        instance: key,
        of: { environment: service.environment, service: service.name, release },
        exposed,
        host: instance.host,
        port: instance.port,
        state: gets ? 'ready' : 'maint',
      };
    });
    slots.push({ name, servers });
    slotByService.set(service, name);
  }
  const routes = new Map(
    binds.map((bind) => {
      const listener = table.listeners.find(({ host, port }) => bind.host === host && bind.port === port);
      const services = table.services.filter(({ environment }) => environment === listener?.environment);
      return [bind.name, listener === undefined ? new Map() : routeEntries(listener, services, (service) => slotByService.get(service))];
    }),
  );
  return { names: pool.names(), slots, routes };
}

/** By what the pool knows the releases of a table. */
export function slotOwners(table: RoutingTable): ReadonlySet<string> {
  return new Set(table.services.flatMap((service) => service.backends.map(({ release }) => ownerOf(service, release))));
}

function ownerOf(service: ServiceRoute, release: string): string {
  return `${idOf(service)}@${release}`;
}

export function instanceKeyOf(service: ServiceRoute, instance: { id: string; host: string; port: number }): string {
  return `${idOf(service)}/${instance.id}@${instance.host}:${instance.port}`;
}

/** Whether a process of state `has` can be brought to `needs` while it runs. */
export function covers(has: PlaneState, needs: PlaneState): boolean {
  return [...needs.names].every((name) => has.names.has(name));
}
