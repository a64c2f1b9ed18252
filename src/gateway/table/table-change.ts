import type { RoutingTable, ServiceRoute } from '../routing-table.ts';

/**
 * What makes one table of another: only services that are new or differ are told. A flip of one service among a thousand is then a small
 * message, and little to compile.
 */
export interface TableChange extends Omit<RoutingTable, 'services'> {
  /** Version of the table it is made for; undefined: it needs none, and holds everything. */
  readonly base?: number | undefined;
  /** Services that are new, or as they are from now on. */
  readonly changed: readonly ServiceRoute[];
  /** `environment/name` of those that are no more. */
  readonly removed: readonly string[];
}

export function serviceKey({ environment, name }: Pick<ServiceRoute, 'environment' | 'name'>): string {
  return `${environment}/${name}`;
}

/** Services are compared by identity: see `sharingServices`. */
export function changeOf(before: RoutingTable | undefined, next: RoutingTable): TableChange {
  const { services, ...rest } = next;
  if (before === undefined) return { ...rest, changed: services, removed: [] };
  const known = new Set(before.services);
  const names = new Set(services.map(serviceKey));
  return {
    ...rest,
    base: before.version,
    changed: services.filter((service) => !known.has(service)),
    removed: before.services.map(serviceKey).filter((name) => !names.has(name)),
  };
}

/** The table after the change; services it does not name are the same objects. Throws when it was made for another table. */
export function applyChange(before: RoutingTable | undefined, { base, changed, removed, ...rest }: TableChange): RoutingTable {
  if (base === undefined) return { ...rest, services: [...changed] };
  if (before?.version !== base) throw new Error(`a change of table ${base} cannot be made to table ${before?.version}`);
  const services = new Map(before.services.map((service) => [serviceKey(service), service]));
  for (const name of removed) services.delete(name);
  for (const service of changed) services.set(serviceKey(service), service);
  return { ...rest, services: [...services.values()] };
}

/** The same table, with the objects of `before` for the services that are as they were there. */
export function sharingServices(before: RoutingTable | undefined, next: RoutingTable): RoutingTable {
  if (before === undefined) return next;
  const known = new Map(before.services.map((service) => [serviceKey(service), service]));
  const services = next.services.map((service) => {
    const own = known.get(serviceKey(service));
    return own !== undefined && (own === service || textOf(own) === textOf(service)) ? own : service;
  });
  return { ...next, services };
}

/** Whether a table says what another one of the same version does, in whatever order of services. `next` shares its services with `before`. */
export function isSameTable(before: RoutingTable, next: RoutingTable): boolean {
  const { changed, removed } = changeOf(before, next);
  return changed.length === 0 && removed.length === 0 && haveSameListeners(before, next) && before.engine === next.engine;
}

export function haveSameListeners(one: RoutingTable, other: RoutingTable): boolean {
  return JSON.stringify(one.listeners) === JSON.stringify(other.listeners);
}

/** The table as JSON. Services of earlier tables are not written anew. */
export function tableText({ services, ...rest }: RoutingTable): string {
  return `${JSON.stringify(rest).slice(0, -1)},"services":[${services.map(textOf).join(',')}]}`;
}

const texts = new WeakMap<ServiceRoute, string>();

/** Of checked services: their members are in the order of the schema. */
function textOf(service: ServiceRoute): string {
  const known = texts.get(service);
  if (known !== undefined) return known;
  const text = JSON.stringify(service);
  texts.set(service, text);
  return text;
}
