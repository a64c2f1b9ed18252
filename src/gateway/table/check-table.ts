import { sluiceError } from '../../errors/sluice-error.ts';
import { z } from 'zod';
import { type RoutingTable, routingTable, type ServiceRoute, serviceRoute } from '../routing-table.ts';
import { normalizedHost, normalizedPrefix } from '../routing/host.ts';
import type { TableChange } from './table-change.ts';

const tableChange = routingTable.omit({ services: true }).extend({
  base: z.number().int(),
  changed: z.array(serviceRoute),
  removed: z.array(z.string()),
});

/** A table as it came over the wire or from disk. Throws `gateway_table_invalid` with every reason when it cannot be routed by. */
export function parseTable(value: unknown): RoutingTable {
  const table = parsedBy(routingTable, value, 'table');
  checkTable(table);
  return table;
}

/** A change as it came over the wire: the table it gives is still to be checked. Throws `gateway_table_invalid`. */
export function parseChange(value: unknown): TableChange & { readonly base: number } {
  return parsedBy(tableChange, value, 'change');
}

export function parseService(value: unknown): ServiceRoute {
  return parsedBy(serviceRoute, value, 'service');
}

/** Throws `gateway_table_invalid` with every contradiction in a table whose parts are sound. */
export function checkTable(table: RoutingTable): void {
  const conflicts = conflictsIn(table);
  if (conflicts.length > 0) throw sluiceError('gateway_table_invalid', { reason: conflicts.join('; ') });
}

function parsedBy<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const reason = parsed.error.issues.map((issue) => `${issue.path.join('.') || what}: ${issue.message}`).join('; ');
  throw sluiceError('gateway_table_invalid', { reason });
}

/** Contradictions that a schema cannot express: whatever would make one request match two things. */
function conflictsIn(table: RoutingTable): readonly string[] {
  const conflicts: string[] = [];
  const unique = (): ((key: string, conflict: string) => void) => {
    const seen = new Set<string>();
    return (key, conflict) => {
      if (seen.has(key)) conflicts.push(conflict);
      seen.add(key);
    };
  };
  const environments = new Set(table.listeners.map((listener) => listener.environment));
  const once = { environment: unique(), address: unique(), service: unique(), expose: unique(), instance: unique(), token: unique() };
  for (const { environment, host, port, tls } of table.listeners) {
    once.environment(environment, `environment '${environment}' has two listeners`);
    for (const used of tls === undefined ? [port] : [port, tls.port]) {
      once.address(`${host}:${used}`, `two listeners share ${host}:${used}`);
      if (used < 1 || used > 65_535) conflicts.push(`port ${used} of environment '${environment}' is out of range`);
    }
  }
  for (const service of table.services) {
    const name = `${service.environment}/${service.name}`;
    once.service(name, `service '${name}' is listed twice`);
    if (service.expose.length > 0 && !environments.has(service.environment)) {
      conflicts.push(`service '${name}' is exposed, but its environment has no listener`);
    }
    for (const { host, path } of service.expose) {
      const known = normalizedHost(host);
      if (known === undefined) conflicts.push(`host '${host}' of service '${name}' is not a host name`);
      if (!isPrefix(path)) conflicts.push(`path '${path}' of service '${name}' is not an absolute path`);
      once.expose(
        `${service.environment} ${known} ${normalizedPrefix(path)}`,
        `two services of '${service.environment}' expose ${host}${path}`,
      );
    }
    for (const token of service.tokenDigests) {
      if (!/^[0-9a-f]{64}$/.test(token)) conflicts.push(`a token digest of service '${name}' is not SHA-256 in hex`);
      once.token(token, `service '${name}' shares a token with another service`);
    }
    for (const id of instanceIds(service)) once.instance(`${name} ${id}`, `instance '${id}' of service '${name}' is listed twice`);
    checkHealth(service, name, conflicts);
    checkPolicies(service, name, conflicts);
  }
  return conflicts;
}

function checkHealth(service: ServiceRoute, name: string, conflicts: string[]): void {
  const { path, intervalMs, timeoutMs } = service.health;
  if (path !== undefined && !isPrefix(path)) conflicts.push(`health path '${path}' of service '${name}' is not an absolute path`);
  if (!(intervalMs > 0) || !(timeoutMs > 0)) conflicts.push(`health interval and timeout of service '${name}' must be above zero`);
}

/** Names that could match no field, and releases that are not there. */
function checkPolicies(service: ServiceRoute, name: string, conflicts: string[]): void {
  const { split, mirror, rateLimits = [], cache, backends } = service;
  const fields: [string, string][] = [];
  if (split?.affinity && split.affinity.by !== 'user') fields.push([`affinity ${split.affinity.by}`, split.affinity.name]);
  if (split?.overrideHeader !== undefined) fields.push(['override header', split.overrideHeader]);
  for (const { key } of rateLimits) if (key.by === 'header') fields.push(['rate limit header', key.name]);
  for (const vary of cache?.vary ?? []) fields.push(['cache header', vary]);
  for (const [what, field] of fields) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(field)) conflicts.push(`${what} '${field}' of service '${name}' is not a name`);
  }
  if (mirror && !backends.some(({ release }) => release === mirror.release)) {
    conflicts.push(`service '${name}' mirrors to release '${mirror.release}', which it does not have`);
  }
}

function instanceIds(service: ServiceRoute): readonly string[] {
  return service.backends.flatMap((backend) => backend.instances.map((instance) => instance.id));
}

/** Visible ASCII after a leading slash: what can stand in a request line. */
function isPrefix(path: string): boolean {
  return /^\/[\x21-\x7e]*$/.test(path) && !path.includes('#');
}
