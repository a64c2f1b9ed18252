import type { ServiceRoute } from '../gateway/routing-table.ts';
import { parseDurationMs } from '../stack/fields/duration.ts';
import { parseMemoryBytes } from '../stack/fields/quantity.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';

/** What the gateway is told of a service beside where its instances are: changing it changes the route and nothing that runs. */
export type TrafficPolicies = Pick<ServiceRoute, 'limits' | 'rateLimits' | 'cache' | 'outliers' | 'slowStartMs' | 'retryBudget'>;

const defaultQueue = 128;
const defaultQueueMs = 5_000;

/** What is not declared is absent, so that the gateway's own defaults hold. */
export function trafficPolicies(declared: ServiceFields): TrafficPolicies {
  const { limits, cache, outliers, slow_start: slowStart, retries } = declared;
  return {
    ...(limits && { limits: limitsOf(limits) }),
    ...(limits && limits.rate.length > 0 && { rateLimits: limits.rate.map(rateLimitOf) }),
    ...(cache && { cache: cacheOf(cache) }),
    ...(outliers && {
      outliers: {
        consecutiveFailures: outliers.failures,
        ejectionMs: parseDurationMs(outliers.ejection),
        maxEjectedPercent: outliers.max_ejected,
      },
    }),
    ...(slowStart !== undefined && { slowStartMs: parseDurationMs(slowStart) }),
    ...(retries && { retryBudget: retries.budget }),
  };
}

type Limits = NonNullable<ServiceFields['limits']>;

function limitsOf({ concurrency, queue, queue_timeout: timeout, priority }: Limits): NonNullable<ServiceRoute['limits']> {
  return {
    ...(concurrency !== undefined && { concurrency }),
    queue: queue ?? defaultQueue,
    queueMs: timeout === undefined ? defaultQueueMs : parseDurationMs(timeout),
    priority,
  };
}

function rateLimitOf({ by, requests, per, burst = requests }: Limits['rate'][number]): NonNullable<ServiceRoute['rateLimits']>[number] {
  const key = typeof by === 'string' ? { by } : { by: 'header' as const, name: by.header };
  return { key, requests, perMs: parseDurationMs(per), burst };
}

function cacheOf({ ttl, methods, vary, size }: NonNullable<ServiceFields['cache']>): NonNullable<ServiceRoute['cache']> {
  return { ttlMs: parseDurationMs(ttl), methods: [...methods], vary: [...vary], maxBytes: parseMemoryBytes(size) };
}
