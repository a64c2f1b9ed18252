import { instanceKey } from '../balancing/instance.ts';
import type { RoutingTable, ServiceRoute } from '../routing-table.ts';
import { serviceKey } from '../table/table-change.ts';
import { type Demand, queueName, type Share } from './messages.ts';
import { createPermitsLedger, type Grant, type PermitsLedger } from './permits-ledger.ts';

/** The concurrency limits of all services and their queues, kept over all workers. Workers are known by their pid. */
export interface Permits {
  /** To be called before the table is in force, so that no worker serves by it without its shares. */
  follow(table: RoutingTable): void;
  /** The health of these instances has changed. */
  refresh(instances: readonly string[]): void;
  join(worker: number): void;
  leave(worker: number): void;
  demand(worker: number, demands: readonly Demand[]): void;
}

/** `unhealthy` holds the keys of instances that no service is to count on. */
export function createPermits(unhealthy: ReadonlySet<string>, send: (worker: number, shares: readonly Share[]) => void): Permits {
  const ledgers = new Map<string, PermitsLedger>();
  const workers = new Set<number>();
  let last = 0;
  const next = (): number => (last += 1);
  let limited: ReadonlyMap<string, ServiceRoute> = new Map();

  const deliver = (grants: ReadonlyMap<string, readonly Grant[]>): void => {
    const shares = new Map<number, Share[]>();
    for (const [service, each] of grants) {
      for (const { worker, capacity, sequence } of each) {
        const of = shares.get(worker) ?? [];
        of.push({ service, capacity, sequence });
        shares.set(worker, of);
      }
    }
    for (const [worker, each] of shares) send(worker, each);
  };
  const onAll = (act: (ledger: PermitsLedger) => readonly Grant[]): void =>
    deliver(new Map(Array.from(ledgers, ([service, ledger]) => [service, act(ledger)])));

  const refresh = (services: Iterable<ServiceRoute>): void => {
    const grants = new Map<string, readonly Grant[]>();
    for (const route of services) {
      const service = serviceKey(route);
      grants.set(service, ledgers.get(service)?.setCapacity(capacityOf(route, unhealthy)) ?? []);
      const queue = queueName(service);
      grants.set(queue, ledgers.get(queue)?.setCapacity(route.limits?.queue ?? 0) ?? []);
    }
    deliver(grants);
  };

  return {
    follow: (table) => {
      const before = limited;
      limited = new Map(
        table.services.filter(({ limits }) => limits?.concurrency !== undefined).map((route) => [serviceKey(route), route] as const),
      );
      const names = new Set(limited.keys().flatMap((service) => [service, queueName(service)]));
      for (const name of ledgers.keys()) if (!names.has(name)) ledgers.delete(name);
      for (const name of names) {
        if (ledgers.has(name)) continue;
        const ledger = createPermitsLedger(next);
        for (const worker of workers) ledger.join(worker);
        ledgers.set(name, ledger);
      }
      refresh(limited.values().filter((route) => before.get(serviceKey(route)) !== route));
    },
    refresh: (instances) => {
      const services = new Set(instances.map(serviceOf));
      refresh(Array.from(services, (service) => limited.get(service)).filter((route) => route !== undefined));
    },
    join: (worker) => {
      workers.add(worker);
      onAll((ledger) => ledger.join(worker));
    },
    leave: (worker) => {
      workers.delete(worker);
      onAll((ledger) => ledger.leave(worker));
    },
    demand: (worker, demands) => {
      const grants = new Map<string, readonly Grant[]>();
      for (const { service, requests, settled } of demands) {
        const ledger = ledgers.get(service);
        if (ledger === undefined) continue;
        const freed = settled === undefined ? [] : ledger.acknowledged(worker, settled);
        grants.set(service, [...freed, ...ledger.demand(worker, requests)]);
      }
      deliver(grants);
    },
  };
}

/** `environment/name` of an instance's key. */
function serviceOf(key: string): string {
  return key.slice(0, key.indexOf('/', key.indexOf('/') + 1));
}

/**
 * Requests the service may run at a time: what the ready instances of releases that get any may, or one when none is, so that the reason
 * given is that.
 */
function capacityOf({ environment, name, limits, backends }: ServiceRoute, unhealthy: ReadonlySet<string>): number {
  let ready = 0;
  for (const { weight, instances } of backends) {
    if (weight === 0) continue;
    for (const instance of instances) {
      const key = instanceKey({ environment, service: name, ...instance });
      if (instance.state === 'active' && !unhealthy.has(key)) ready += 1;
    }
  }
  return (limits?.concurrency ?? 0) * Math.max(1, ready);
}
