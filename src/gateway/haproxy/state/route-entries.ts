import { normalizedHost, normalizedPrefix } from '../../routing/host.ts';
import type { RoutingTable, ServiceRoute, SplitRoute } from '../../routing-table.ts';
import { seedOf } from '../../routing/split.ts';
import { rangesOf } from './split-points.ts';

/**
 * The routing map: one map, so that one commit switches all of it. Keys, whose first letter is their kind (listeners are named `l` and a number):
 * - `listener|host/path/` a public route; matched by its longest beginning, so that a prefix ends on a segment
 * - `t|digest` a token: `environment/caller`
 * - `c|environment/caller|name` a call that is declared
 * - `o|environment/service|release` a release a tester may pick: its slot
 * Values of routes and calls are fields separated by `|`, see `field`.
 */
export const field = { slot: 1, service: 2, priority: 3, source: 4, overrideHeader: 5, seed: 6, firstPoint: 7 } as const;
/** Ranges of points a split may have; a few rules for each. */
export const mostRanges = 9;

/** In the place of a slot: a service without an instance to go to. */
export const noSlot = 'none';

export interface EntryContext {
  /** Name of the public listener of an environment. */
  readonly listenerOf: (environment: string) => string | undefined;
  readonly slotOf: (service: ServiceRoute, release: string) => string;
  readonly isReady: (service: ServiceRoute, release: string) => boolean;
}

export function routeEntries(table: RoutingTable, context: EntryContext): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  const byName = new Map(table.services.map((service) => [idOf(service), service]));
  for (const service of table.services) {
    const listener = context.listenerOf(service.environment);
    if (listener !== undefined) {
      const value = routeValue(service, service.limits?.priority, context);
      for (const { host, path } of service.expose) {
        entries.set(`${listener}|${normalizedHost(host) ?? host}${normalizedPrefix(path)}/`, value);
      }
    }
    for (const digest of service.tokenDigests) entries.set(`t|${digest}`, idOf(service));
    for (const name of service.calls) {
      const callee = byName.get(`${service.environment}/${name}`);
      const value = callee === undefined ? `${noSlot}||` : routeValue(callee, service.limits?.priority, context);
      entries.set(`c|${idOf(service)}|${name}`, value);
    }
    if (service.split?.overrideHeader !== undefined) {
      for (const backend of service.backends) {
        if (backend.instances.some((instance) => instance.state === 'active')) {
          entries.set(`o|${idOf(service)}|${backend.release}`, context.slotOf(service, backend.release));
        }
      }
    }
  }
  return entries;
}

/** HAProxy serves lower classes first; 0 is where a request without one is. */
const priorityClass = { critical: '-100', normal: '0', low: '100' } as const;

function routeValue(service: ServiceRoute, priority: keyof typeof priorityClass | undefined, context: EntryContext): string {
  const ranges = rangesOf(service.backends, (backend) => context.isReady(service, backend.release), service.split?.slots);
  const [first, ...others] = ranges.map(({ release, from }) => ({ slot: context.slotOf(service, release), from }));
  const { split } = service;
  const fields = [
    first?.slot ?? noSlot,
    idOf(service),
    priority === undefined ? '' : priorityClass[priority],
    split?.affinity === undefined ? '' : sourceKey(split.affinity),
    split?.overrideHeader?.toLowerCase() ?? '',
    split?.affinity === undefined ? '' : String(seedOf(split.salt)),
    ...others.flatMap(({ slot, from }) => [String(from), slot]),
  ];
  // Empty fields at the end say nothing; most services are drawn from one release.
  return fields.join('|').replace(/\|+$/, '');
}

/** `cookie:name`, `header:name` or `user`. */
export function sourceKey(affinity: NonNullable<SplitRoute['affinity']>): string {
  return affinity.by === 'user' ? 'user' : `${affinity.by}:${affinity.by === 'header' ? affinity.name.toLowerCase() : affinity.name}`;
}

export function idOf(service: Pick<ServiceRoute, 'environment' | 'name'>): string {
  return `${service.environment}/${service.name}`;
}
