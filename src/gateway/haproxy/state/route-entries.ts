import { normalizedHost, normalizedPrefix } from '../../routing/host.ts';
import type { ListenerRoute, ServiceRoute } from '../../routing-table.ts';

/** In the place of a slot: not HAProxy's to answer. No backend has this name. */
export const relayed = '-';

/**
 * The routes of a listener as HAProxy looks them up: by the longest key that `host[:port]/path/` begins with, so that a prefix ends on a
 * segment. Only the spellings of a host that are usual are keys. Every route is one, whether it is HAProxy's or not, lest a shorter one is
 * found in its place.
 */
export function routeEntries(
  listener: ListenerRoute,
  services: readonly ServiceRoute[],
  slotOf: (service: ServiceRoute) => string | undefined,
): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  // Beside an encrypted listener the plain one sends on, and answers the challenges of certificates.
  const isEncrypted = listener.tls !== undefined || listener.redirectToTls === true;
  for (const service of services) {
    const slot = isEncrypted ? undefined : slotOf(service);
    for (const { host, path, release } of service.expose) {
      const name = normalizedHost(host);
      const route = `${normalizedPrefix(path)}/`;
      if (name === undefined || !isWord(name + route)) continue;
      for (const key of [`${name}${route}`, `${name}:${listener.port}${route}`]) {
        // Of two of the same the first one counts.
        if (!entries.has(key)) entries.set(key, release === undefined ? (slot ?? relayed) : relayed);
      }
    }
  }
  return entries;
}

/** Whether a map can hold it. What cannot be a key cannot be the path of a request that HAProxy takes for an ordinary one either. */
function isWord(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && !text.includes('\\');
}

export function idOf(service: Pick<ServiceRoute, 'environment' | 'name'>): string {
  return `${service.environment}/${service.name}`;
}
