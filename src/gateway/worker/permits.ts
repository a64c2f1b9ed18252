import { instanceKey } from '../balancing/instance.ts';
import type { RoutingTable, ServiceRoute } from '../routing-table.ts';
import type { Demand, Share } from './messages.ts';
import { createPermitsLedger, type Grant, type PermitsLedger } from './permits-ledger.ts';

/** The concurrency limits of all services, kept over all workers. Workers are known by their pid. */
export interface Permits {
  /** To be called before the table is in force, so that no worker serves by it without its shares. */
  follow(table: RoutingTable): void;
  /** The instances that count have changed. */
  refresh(): void;
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
  let limited: readonly ServiceRoute[] = [];

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

  const refresh = (): void =>
    deliver(
      new Map(
        limited.map((route) => {
          const service = `${route.environment}/${route.name}`;
          return [service, ledgers.get(service)?.setCapacity(capacityOf(route, unhealthy)) ?? []];
        }),
      ),
    );

  return {
    follow: (table) => {
      limited = table.services.filter(({ limits }) => limits?.concurrency !== undefined);
      const names = new Set(limited.map(({ environment, name }) => `${environment}/${name}`));
      for (const service of ledgers.keys()) if (!names.has(service)) ledgers.delete(service);
      for (const service of names) {
        if (ledgers.has(service)) continue;
        const ledger = createPermitsLedger(next);
        for (const worker of workers) ledger.join(worker);
        ledgers.set(service, ledger);
      }
      refresh();
    },
    refresh,
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
