import type { Backend } from '../balancing/choose.ts';
import type { Instance, Instances } from '../balancing/instance.ts';
import type { Meters } from '../measuring/meters.ts';
import { normalizedHost, normalizedPrefix } from '../routing/host.ts';
import type { RoutedService, Routes } from '../routing/routes.ts';
import type { BackendRoute, RoutingTable, ServiceRoute } from '../routing-table.ts';

/**
 * Turns a checked table into what requests are routed by. Instances that were known keep their counts and health; those the table no
 * longer has are marked removed. Cannot fail for a table that `parseTable` let through.
 */
export function compileTable(table: RoutingTable, instances: Instances, meterOf?: Meters['meterOf']): Routes {
  const admitted = new Set<Instance>();
  const services = table.services.map((route) => compileService(route, instances, admitted, meterOf));
  instances.settle(admitted);
  const byName = new Map(services.map((service) => [`${service.environment}/${service.name}`, service]));
  const callers = new Map<string, RoutedService>();
  for (const [index, route] of table.services.entries()) {
    const service = services[index] as RoutedService;
    for (const name of route.calls) service.calls.set(name, byName.get(`${route.environment}/${name}`));
    for (const digest of route.tokenDigests) callers.set(digest, service);
  }
  return { version: table.version, exposed: compileExposed(table, byName), callers, services };
}

/** To be called after the health of one of its instances has changed. */
export function refreshReady(service: RoutedService): void {
  for (const backend of service.backends) backend.ready = backend.active.filter((instance) => instance.healthy);
}

function compileService(
  route: ServiceRoute,
  instances: Instances,
  admitted: Set<Instance>,
  meterOf: Meters['meterOf'] | undefined,
): RoutedService {
  const all: Instance[] = [];
  const admit = (backend: BackendRoute): Backend => {
    const members = backend.instances.map((instance) =>
      instances.admit({ ...instance, environment: route.environment, service: route.name, release: backend.release }),
    );
    for (const member of members) admitted.add(member);
    all.push(...members);
    const meter = meterOf?.(route.environment, route.name, backend.release);
    const active = members.filter((member) => member.state === 'active');
    return { release: backend.release, weight: backend.weight, active, ready: [], ...(meter && { meter }) };
  };
  const backends = route.backends.map(admit);
  const service: RoutedService = {
    environment: route.environment,
    name: route.name,
    backends,
    instances: all,
    health: route.health,
    calls: new Map(),
  };
  refreshReady(service);
  return service;
}

function compileExposed(table: RoutingTable, byName: ReadonlyMap<string, RoutedService>): Routes['exposed'] {
  const exposed = new Map<string, Map<string, { prefix: string; service: RoutedService }[]>>();
  for (const route of table.services) {
    const service = byName.get(`${route.environment}/${route.name}`) as RoutedService;
    for (const { host, path } of route.expose) {
      const hosts = getOrCreate(exposed, route.environment, () => new Map<string, { prefix: string; service: RoutedService }[]>());
      const paths = getOrCreate(hosts, normalizedHost(host) ?? host, () => []);
      paths.push({ prefix: normalizedPrefix(path), service });
      paths.sort((left, right) => right.prefix.length - left.prefix.length);
    }
  }
  return exposed;
}

function getOrCreate<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const value = create();
  map.set(key, value);
  return value;
}
