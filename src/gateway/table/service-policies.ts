import { createOutliers, type Outliers } from '../balancing/outliers.ts';
import { createRetryBudget, type RetryBudget } from '../balancing/retry-budget.ts';
import { createServiceCache, type ServiceCache } from '../cache/service-cache.ts';
import { createLimiter, type ServiceLimiter } from '../limits/limiter.ts';
import { rateKeyOf } from '../limits/rate-key.ts';
import { createRateLimiter, type RateLimiter } from '../limits/rate-limiter.ts';
import { limitName } from '../limits/spending.ts';
import type { RateLimit } from '../routing/routes.ts';
import type { CacheRoute, LimitsRoute, RateLimitRoute, ServiceRoute } from '../routing-table.ts';
import { serviceKey } from './table-change.ts';

/** What a service's requests have left behind: who runs and waits, spent tokens and budgets, kept answers, ejections. */
interface ServicePolicies {
  readonly limiter: ServiceLimiter | undefined;
  readonly rateLimiters: readonly RateLimit[] | undefined;
  readonly cache: ServiceCache | undefined;
  readonly retryBudget: RetryBudget;
  readonly outliers: Outliers;
}

/**
 * The policies of every service through all tables: each keeps its state for as long as its own settings stay as they are; a limiter keeps
 * it whatever they become, because what runs goes on running.
 */
export interface PolicyMemory {
  /** Call it for every service of a table, then `settle`. `changed` is told when the ready instances have. */
  admit(route: ServiceRoute, changed: () => void): ServicePolicies;
  /** The service is in the table as it was. */
  keep(service: Pick<ServiceRoute, 'environment' | 'name'>): void;
  /** Forgets the services that were neither admitted nor kept since the last time. */
  settle(): void;
}

interface Entry {
  policies: ServicePolicies;
  /** What its parts were made by. */
  settings: ServiceRoute;
  changed: () => void;
}

const defaultRetryShare = 0.2;

/** `now` gives monotonic milliseconds. `taken` is told of every token that a rate limit gives. */
export function createPolicyMemory(now: () => number, taken?: (limit: string, key: string) => void): PolicyMemory {
  const entries = new Map<string, Entry>();
  let admitted = new Set<string>();

  const limiterFor = (limits: LimitsRoute | undefined, before: ServiceLimiter | undefined): ServiceLimiter | undefined => {
    if (limits?.concurrency === undefined) {
      // Nothing is limited any more: whoever waits goes on.
      before?.resize(Number.POSITIVE_INFINITY);
      return undefined;
    }
    const limiter = before ?? createLimiter(limits, now);
    limiter.configure(limits);
    return limiter;
  };

  const rateLimitersFor = (route: ServiceRoute, before: Entry | undefined): readonly RateLimit[] | undefined => {
    const known = new Map<string, RateLimiter>();
    for (const [index, { limiter }] of (before?.policies.rateLimiters ?? []).entries()) {
      known.set(`${index} ${JSON.stringify(before?.settings.rateLimits?.[index])}`, limiter);
    }
    return route.rateLimits?.map((rule, index) => ({
      limiter: known.get(`${index} ${JSON.stringify(rule)}`) ?? limiterOf(route, index, rule),
      keyOf: rateKeyOf(rule.key),
    }));
  };

  const limiterOf = (service: ServiceRoute, index: number, rule: RateLimitRoute): RateLimiter => {
    const limit = limitName(service, index);
    return createRateLimiter(rule, { ...(taken && { taken: (key) => taken(limit, key) }) });
  };

  const cacheFor = (settings: CacheRoute | undefined, before: Entry | undefined): ServiceCache | undefined => {
    if (settings === undefined) return undefined;
    const isSame = JSON.stringify(before?.settings.cache) === JSON.stringify(settings);
    return isSame && before?.policies.cache ? before.policies.cache : createServiceCache(settings);
  };

  return {
    admit: (route, changed) => {
      const name = serviceKey(route);
      admitted.add(name);
      const before = entries.get(name);
      const outliers = before?.policies.outliers ?? createOutliers(() => entries.get(name)?.changed());
      const isSameBudget = before && before.settings.retryBudget === route.retryBudget;
      const policies: ServicePolicies = {
        limiter: limiterFor(route.limits, before?.policies.limiter),
        rateLimiters: rateLimitersFor(route, before),
        cache: cacheFor(route.cache, before),
        retryBudget: isSameBudget ? before.policies.retryBudget : createRetryBudget(route.retryBudget ?? defaultRetryShare),
        outliers,
      };
      entries.set(name, { policies, settings: route, changed });
      return policies;
    },
    keep: (service) => {
      admitted.add(serviceKey(service));
    },
    settle: () => {
      for (const [name, { policies }] of entries) {
        if (admitted.has(name)) continue;
        policies.limiter?.resize(Number.POSITIVE_INFINITY);
        entries.delete(name);
      }
      admitted = new Set();
    },
  };
}
