import { isIP } from 'node:net';
import type { RoutingTable, ServiceRoute } from '../routing-table.ts';
import { mostRanges } from './state/route-entries.ts';
import { rangesOf } from './state/split-points.ts';

/** What a table asks for that HAProxy cannot do, each as a sentence that names it and what to do. Empty: HAProxy can serve the table. */
export function unsupportedByHaproxy(table: RoutingTable): readonly string[] {
  const found: string[] = [];
  for (const listener of table.listeners) {
    if (listener.tls !== undefined || listener.redirectToTls === true) {
      found.push(`environment '${listener.environment}' is encrypted, which only the embedded engine does: set gateway.engine to embedded`);
    }
  }
  for (const service of table.services) {
    for (const what of unsupportedOf(service)) {
      found.push(`service '${service.name}' of '${service.environment}' ${what}: remove it, or set gateway.engine to embedded`);
    }
  }
  return found;
}

function unsupportedOf(service: ServiceRoute): readonly string[] {
  const found: string[] = [];
  const instances = service.backends.flatMap((backend) => backend.instances);
  if (service.mirror !== undefined) found.push('mirrors requests, which HAProxy cannot');
  if (service.cache !== undefined) found.push('caches answers by the rules of HTTP, which HAProxy does not');
  if (service.slowStartMs !== undefined && service.slowStartMs > 0)
    found.push('has a slow start, which the balancing in use with HAProxy has not');
  if (service.evidence !== undefined) found.push('is judged by evidence, which HAProxy does not count by unit and probability');
  if (service.experiment !== undefined) found.push('has an experiment, whose outcomes HAProxy does not count by user');
  if (service.outliers !== undefined) found.push('ejects outliers, which needs checks of HAProxy’s own');
  if (service.retryBudget !== undefined) found.push('has a retry budget, which HAProxy does not know');
  if ((service.rateLimits?.length ?? 0) > 3) found.push('has more than three rate limits');
  if (rangesOf(service.backends, () => true, service.split?.slots).length > mostRanges) found.push('draws from too many releases');
  if (instances.some((instance) => isIP(instance.host) === 0)) found.push('has an instance whose address is a name and no IP address');
  if (!hasPlainNames(service)) found.push('has a name that HAProxy’s configuration cannot hold');
  return found;
}

/** Whether all that reaches the configuration or a command of HAProxy is free of what would be read as something else there. */
function hasPlainNames(service: ServiceRoute): boolean {
  const names = [service.environment, service.name, ...service.calls];
  const routes = service.expose.flatMap(({ host, path }) => [host, path]);
  const headers = [
    ...(service.split?.overrideHeader === undefined ? [] : [service.split.overrideHeader]),
    ...(service.split?.affinity !== undefined && service.split.affinity.by !== 'user' ? [service.split.affinity.name] : []),
    ...(service.rateLimits ?? []).flatMap(({ key }) => (key.by === 'header' ? [key.name] : [])),
  ];
  return (
    names.every((name) => /^[A-Za-z0-9._-]+$/.test(name)) &&
    routes.every((text) => /^[\x21-\x7e]*$/.test(text) && !text.includes('\\')) &&
    headers.every((name) => /^[A-Za-z0-9_-]+$/.test(name)) &&
    service.backends.every(({ release }) => /^[\x21-\x7b\x7d\x7e]+$/.test(release))
  );
}
