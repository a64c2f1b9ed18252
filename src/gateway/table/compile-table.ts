import type { Backend } from '../balancing/choose.ts';
import type { Instance, Instances } from '../balancing/instance.ts';
import { defaultOutliers } from '../balancing/outliers.ts';
import { refreshBackends } from '../balancing/readiness.ts';
import type { Meter } from '../measuring/meter.ts';
import { normalizedHost, normalizedPrefix } from '../routing/host.ts';
import type { RoutedService, Routes } from '../routing/routes.ts';
import { createSplit, overrideHeaderOf, splitToOne } from '../routing/split.ts';
import type { BackendRoute, RoutingTable, ServiceRoute } from '../routing-table.ts';
import { createPolicyMemory, type PolicyMemory } from './service-policies.ts';
import { serviceKey } from './table-change.ts';

export interface CompileOptions {
  /** Keeps queues, buckets, budgets, kept answers and ejections over tables. Without it each table begins anew. */
  readonly policies?: PolicyMemory;
  readonly meterOf?: (environment: string, service: string, release: string) => Meter | undefined;
  /** What this process may run at a time of a service (`environment/name`), when it shares the limits with others. */
  readonly granted?: (service: string) => number;
  /** The table in force: services that are the same objects in both are not compiled again. */
  readonly before?: CompiledTable;
}

export interface CompiledTable {
  readonly table: RoutingTable;
  readonly routes: Routes;
  /** Those that were compiled for it, and those of `before` that it no longer has in this form. */
  readonly fresh: readonly RoutedService[];
  readonly gone: readonly RoutedService[];
}

/**
 * Turns a checked table into what requests are routed by. Instances that were known keep their counts and health; those the table no
 * longer has are marked removed. Cannot fail for a table that `parseTable` let through.
 */
export function compileTable(table: RoutingTable, instances: Instances, options: CompileOptions = {}): CompiledTable {
  const { before } = options;
  const known = new Map(before?.table.services.map((route, index) => [route, before.routes.services[index] as RoutedService]));
  const admitted = new Set<Instance>();
  const fresh: RoutedService[] = [];
  const policies = options.policies ?? createPolicyMemory(() => 0);
  const services = table.services.map((route) => {
    const same = known.get(route);
    if (same !== undefined) {
      known.delete(route);
      policies.keep(route);
      return same;
    }
    const service = compileService(route, { instances, admitted, policies, options });
    fresh.push(service);
    return service;
  });
  const gone = [...known.values()];
  policies.settle();
  instances.settle(admitted, before && gone.flatMap((service) => service.instances));
  const byName = new Map(services.map((service) => [serviceKey(service), service]));
  const callers = new Map<string, RoutedService>();
  for (const [index, route] of table.services.entries()) {
    const service = services[index] as RoutedService;
    for (const name of route.calls) service.calls.set(name, byName.get(serviceKey({ environment: route.environment, name })));
    for (const digest of route.tokenDigests) callers.set(digest, service);
  }
  const exposed = compileExposed(table.services, services);
  return { table, routes: { version: table.version, exposed, callers, services }, fresh, gone };
}

/** To be called after the health of one of its instances has changed. */
export function refreshReady(service: RoutedService): void {
  refreshBackends(service.backends);
  if (service.limiter === undefined) return;
  const capacity = capacityOf(service);
  const own = service.granted?.() ?? capacity;
  service.limiter.resize(own, service.granted === undefined ? 0 : Math.max(0, capacity - own));
}

/**
 * Requests that may run at once: of all ready instances of releases that get any, or of one when none is, so that the reason given is that
 * and not the queue.
 */
function capacityOf({ backends, concurrency }: Pick<RoutedService, 'backends' | 'concurrency'>): number {
  if (concurrency === undefined) return Number.POSITIVE_INFINITY;
  const ready = backends.reduce((count, { weight, ready: able }) => count + (weight > 0 ? able.length : 0), 0);
  return concurrency * Math.max(1, ready);
}

/** To be called several times a second: ends what has waited too long, and takes back whose ejection is over. */
export function tickPolicies(routes: Routes, now: number): void {
  for (const { limiter, outliers } of routes.services) {
    limiter?.expire(now);
    outliers?.expire(now);
  }
}

interface Compilation {
  readonly instances: Instances;
  readonly admitted: Set<Instance>;
  readonly policies: PolicyMemory;
  readonly options: CompileOptions;
}

function compileService(route: ServiceRoute, { instances, admitted, policies, options }: Compilation): RoutedService {
  const all: Instance[] = [];
  const { environment, name } = route;
  const backends = route.backends.map((backend) => {
    const members = backend.instances.map((instance) =>
      instances.admit({ ...instance, environment, service: name, release: backend.release }),
    );
    for (const member of members) {
      admitted.add(member);
      if (member.state !== 'active') member.ready = false;
    }
    all.push(...members);
    return compileBackend(route, backend, members, options);
  });
  const mirrored = route.mirror && backends.find(({ release }) => release === route.mirror?.release);
  const kept = policies.admit(route, () => refreshReady(service));
  kept.outliers.follow(backends, route.outliers ?? defaultOutliers);
  const releases = backends.filter(({ weight }) => weight > 0).map(({ release }) => release);
  const service: RoutedService = {
    environment,
    name,
    backends,
    instances: all,
    health: route.health,
    calls: new Map(),
    ...(backends.length > 0 && { split: createSplit(backends, route.split, route.evidence?.compared) }),
    ...(kept.limiter && { limiter: kept.limiter }),
    ...(route.limits && { priority: route.limits.priority }),
    ...(route.limits?.concurrency !== undefined && { concurrency: route.limits.concurrency }),
    ...(options.granted && { granted: () => options.granted?.(`${environment}/${name}`) ?? 0 }),
    ...(kept.rateLimiters && { rateLimiters: kept.rateLimiters }),
    ...(kept.cache && { cache: kept.cache.view({ releases, overrideHeader: overrideHeaderOf(route.split) }) }),
    ...(route.mirror && mirrored && { mirror: { ...route.mirror, backend: mirrored } }),
    retryBudget: kept.retryBudget,
    outliers: kept.outliers,
  };
  refreshReady(service);
  return service;
}

function compileBackend(route: ServiceRoute, backend: BackendRoute, members: readonly Instance[], { meterOf }: CompileOptions): Backend {
  const meter = meterOf?.(route.environment, route.name, backend.release);
  return {
    release: backend.release,
    weight: backend.weight,
    ...(backend.slot && { slot: backend.slot }),
    active: members.filter((member) => member.state === 'active'),
    ready: [],
    ...(meter && { meter }),
    ...(route.limits?.concurrency !== undefined && { concurrency: route.limits.concurrency }),
    ...(route.slowStartMs !== undefined && route.slowStartMs > 0 && { slowStartMs: route.slowStartMs }),
  };
}

/** The service as those see it who come for one of its releases: nothing is drawn, copied, kept, or answered by another release. */
function onlyOf(service: RoutedService, release: string): RoutedService | undefined {
  const backend = service.backends.find((each) => each.release === release);
  if (backend === undefined) return undefined;
  const { cache: _, mirror: __, ...rest } = service;
  return { ...rest, backends: [backend], split: splitToOne(backend), only: release };
}

/** `services` are the compiled `routes`, in their order. */
function compileExposed(routes: readonly ServiceRoute[], services: readonly RoutedService[]): Routes['exposed'] {
  const exposed = new Map<string, Map<string, { prefix: string; service: RoutedService }[]>>();
  for (const [index, route] of routes.entries()) {
    const service = services[index] as RoutedService;
    for (const { host, path, release } of route.expose) {
      const target = release === undefined ? service : onlyOf(service, release);
      if (target === undefined) continue;
      const hosts = getOrCreate(exposed, route.environment, () => new Map<string, { prefix: string; service: RoutedService }[]>());
      const paths = getOrCreate(hosts, normalizedHost(host) ?? host, () => []);
      paths.push({ prefix: normalizedPrefix(path), service: target });
      if (paths.length > 1) paths.sort((left, right) => right.prefix.length - left.prefix.length);
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
