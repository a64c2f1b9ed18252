import type { BackendRoute } from '../../gateway/routing-table.ts';
import type { Instance } from '../service-state.ts';
import type { World } from './world.ts';

export const agent = { environment: 'default', name: 'agent' } as const;

/** What the modelled gateway has been told last. */
export function routeOfAgent({ traffic }: World): readonly BackendRoute[] {
  return traffic.route(agent)?.backends ?? [];
}

/** Whether new requests go to the instance as far as its state in the route says. */
export function isActive(instance: Instance, world: World): boolean {
  return routeOfAgent(world).some(({ instances }) =>
    instances.some(({ id, port, state }) => id === instance.id && port === instance.process?.port && state === 'active'),
  );
}

export function activeOf({ instances }: BackendRoute): number {
  return instances.filter(({ state }) => state === 'active').length;
}

/** Percentage of new requests by release; empty when nothing has weight. */
export function sharesOf(backends: readonly BackendRoute[]): ReadonlyMap<string, number> {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(total === 0 ? [] : backends.map(({ release, weight }) => [release, (100 * weight) / total]));
}
