import type { InstanceLoad } from '../data-plane.ts';
import type { RoutingTable } from '../routing-table.ts';
import type { InstanceStats } from './process/server-stats.ts';
import { instanceKeyOf } from './state/desired-state.ts';

/** Every instance of the table, and those no longer in it that still have work, by what all processes of HAProxy tell. */
export function loadsOf(table: RoutingTable, rows: readonly InstanceStats[]): readonly InstanceLoad[] {
  const inFlight = new Map<string, number>();
  for (const row of rows) inFlight.set(row.instance, (inFlight.get(row.instance) ?? 0) + row.inFlight + row.queued);
  const loads = new Map<string, InstanceLoad>();
  for (const service of table.services) {
    for (const instance of service.backends.flatMap((backend) => backend.instances)) {
      const key = instanceKeyOf(service, instance);
      loads.set(key, { key, state: instance.state, inFlight: inFlight.get(key) ?? 0 });
    }
  }
  for (const [key, count] of inFlight) if (count > 0 && !loads.has(key)) loads.set(key, { key, state: 'removed', inFlight: count });
  return [...loads.values()];
}
