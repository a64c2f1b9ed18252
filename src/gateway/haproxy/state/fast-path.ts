import { isIP } from 'node:net';
import { splitRanges } from '../../routing/split-ranges.ts';
import type { BackendRoute, ServiceRoute } from '../../routing-table.ts';

/**
 * The one release all public requests of a service go to, when HAProxy can answer them by itself. Undefined: something is asked for that only
 * the embedded engine does, or is counted by it alone, or there are several releases to draw from, or none. `isReady`: it has an instance that
 * is healthy.
 */
export function fastRelease(service: ServiceRoute, isReady: (release: string) => boolean): BackendRoute | undefined {
  if (!isPlain(service)) return undefined;
  const anyReady = service.backends.some((backend) => canServe(backend) && isReady(backend.release));
  // As the embedded engine does: a release that is not ready gets nothing while another one is.
  const weights = service.backends.map((backend) => ({
    weight: canServe(backend) && (!anyReady || isReady(backend.release)) ? backend.weight : 0,
  }));
  const ranges = splitRanges(weights);
  const only = ranges.length === 1 ? service.backends[ranges[0]?.backend ?? 0] : undefined;
  return only !== undefined && only.instances.every(({ host }) => isIP(host) !== 0) ? only : undefined;
}

function isPlain(service: ServiceRoute): boolean {
  const { mirror, cache, evidence, experiment, outliers, retryBudget, slowStartMs, rateLimits, limits, split } = service;
  const asks = [mirror, cache, evidence, experiment, outliers, retryBudget, limits?.concurrency, split?.affinity, split?.overrideHeader];
  return asks.every((each) => each === undefined) && !slowStartMs && (rateLimits ?? []).length === 0;
}

function canServe({ weight, instances }: BackendRoute): boolean {
  return weight > 0 && instances.some((instance) => instance.state === 'active');
}
