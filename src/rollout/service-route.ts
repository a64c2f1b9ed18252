import { jsonEquals } from '../digest/json.ts';
import type { BackendRoute, InstanceRoute, ServiceRoute } from '../gateway/routing-table.ts';
import { revisionOf, targetGeneration, type Instance, type ServiceState } from './service-state.ts';

/**
 * How requests are to reach the service by this state. Each release's weight is the number of its ready instances, so that every
 * instance gets an equal share and a release without capacity gets none.
 */
export function routeOf(state: ServiceState): ServiceRoute {
  const backends = new Map<string, { weight: number; instances: InstanceRoute[] }>();
  for (const instance of state.instances) {
    const route = instanceRouteOf(instance);
    const release = revisionOf(state, instance.generation)?.release;
    if (!route || release === undefined) continue;
    const backend = backends.get(release) ?? { weight: 0, instances: [] };
    backends.set(release, backend);
    backend.instances.push(route);
    if (instance.phase === 'ready') backend.weight += 1;
  }
  return {
    environment: state.environment,
    name: state.name,
    expose: state.settings.expose.map(({ host, path }) => ({ host, path })),
    calls: [...state.settings.calls],
    tokenDigests: [state.token.digest],
    health: healthRoute(state),
    backends: stableLast(state, sharesOf([...backends].map(([release, { weight, instances }]) => ({ release, weight, instances })))),
    ...state.settings.policies,
  };
}

/** The gateway takes the last one for the stable one. */
function stableLast(state: ServiceState, backends: readonly BackendRoute[]): BackendRoute[] {
  const stable = revisionOf(state, state.stable)?.release;
  return backends.toSorted((left, right) => Number(left.release === stable) - Number(right.release === stable));
}

/** Whether the gateway is known to send new requests to the instance, at the port it has now. */
export function isPublishedActive(published: ServiceRoute | undefined, instance: Instance): boolean {
  return publishedState(published, instance.id, instance.process?.port) === 'active';
}

/** Whether the gateway is known to treat requests as the service's settings say, wherever its instances are at the moment. */
export function isPublishedAsDeclared(published: ServiceRoute | undefined, state: ServiceState): boolean {
  if (published === undefined) return false;
  return jsonEquals({ ...routeOf(state), backends: [] }, { ...published, backends: [] });
}

/** Whether the gateway is known to send it nothing new. */
export function isPublishedDrained(published: ServiceRoute | undefined, instance: Instance): boolean {
  return published !== undefined && publishedState(published, instance.id) !== 'active';
}

function publishedState(published: ServiceRoute | undefined, id: string, port?: number): InstanceRoute['state'] | undefined {
  for (const backend of published?.backends ?? []) {
    const route = backend.instances.find((candidate) => candidate.id === id && (port === undefined || candidate.port === port));
    if (route) return route.state;
  }
  return undefined;
}

function instanceRouteOf({ id, phase, process }: Instance): InstanceRoute | undefined {
  if (!process) return undefined;
  if (phase === 'ready' || phase === 'unready') return { id, host: process.host, port: process.port, state: 'active' };
  if (phase === 'draining' || phase === 'stopping') return { id, host: process.host, port: process.port, state: 'draining' };
  return undefined;
}

/** When not one instance of the service passes its checks, all get a share: a doubtful answer is better than none (Envoy's panic mode). */
function sharesOf(backends: readonly BackendRoute[]): BackendRoute[] {
  if (backends.some(({ weight }) => weight > 0)) return [...backends];
  return backends.map(({ release, instances }) => ({
    release,
    weight: instances.filter(({ state }) => state === 'active').length,
    instances,
  }));
}

/** Revisions that are checked in different ways share no active check: the one in use must not be judged by the other's path. */
function healthRoute(state: ServiceState): ServiceRoute['health'] {
  const target = revisionOf(state, targetGeneration(state)) ?? state.revisions[0];
  const used = new Set([target?.generation, ...state.instances.map(({ generation }) => generation)]);
  const paths = state.revisions.filter(({ generation }) => used.has(generation)).map(({ health }) => pathOf(health.check));
  const [path] = paths;
  return {
    ...(path !== undefined && paths.every((other) => other === path) && { path }),
    intervalMs: target?.health.intervalMs ?? 1_000,
    timeoutMs: target?.health.check.timeoutMs ?? 1_000,
  };
}

function pathOf(check: { readonly type: string; readonly path?: string }): string | undefined {
  return check.type === 'http' ? check.path : undefined;
}
