import { instanceKey } from '../balancing/instance.ts';
import type { InstanceHealth } from '../data-plane.ts';
import type { RoutingTable, ServiceRoute } from '../routing-table.ts';
import { judge, type Observation } from './judge.ts';

/** An instance as the one who decides about its health knows it. */
export interface BookedInstance {
  readonly key: string;
  readonly environment: string;
  readonly service: string;
  readonly release: string;
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly state: 'active' | 'draining';
  readonly health: ServiceRoute['health'];
  healthy: boolean;
  /** Failures in a row. */
  failures: number;
}

/** The health of every instance of the table in force, and who those are that have left it with work. */
export interface HealthBook {
  /** Instances that were known keep their health. */
  follow(table: RoutingTable): readonly BookedInstance[];
  /** Takes an observation into account. */
  observe(key: string, observation: Observation): void;
  /** Also of an instance that left the table, until `forget`. */
  of(key: string): BookedInstance | undefined;
  /** Of those that are not in the table keeps only these. */
  forget(except: ReadonlySet<string>): void;
}

/** `onChange` is told whenever an instance becomes healthy or unhealthy. */
export function createHealthBook(onChange: (change: InstanceHealth, observation: Observation) => void): HealthBook {
  let current = new Map<string, BookedInstance>();
  const gone = new Map<string, BookedInstance>();
  /** Tables share the services that stay as they are. */
  const booked = new WeakMap<ServiceRoute, readonly BookedInstance[]>();
  const instancesOf = (route: ServiceRoute): readonly BookedInstance[] => {
    const known = booked.get(route) ?? bookedInstances(route);
    booked.set(route, known);
    return known;
  };

  return {
    follow: (table) => {
      const next = new Map<string, BookedInstance>();
      for (const service of table.services) {
        for (const instance of instancesOf(service)) {
          const known = current.get(instance.key);
          if (known !== instance) {
            instance.healthy = known?.healthy ?? true;
            instance.failures = known?.failures ?? 0;
          }
          next.set(instance.key, instance);
        }
      }
      for (const key of gone.keys()) if (next.has(key)) gone.delete(key);
      for (const [key, instance] of current) if (!next.has(key)) gone.set(key, instance);
      current = next;
      return [...next.values()];
    },
    observe: (key, observation) => {
      const instance = current.get(key);
      if (instance !== undefined && judge(instance, observation)) onChange({ key, healthy: instance.healthy }, observation);
    },
    of: (key) => current.get(key) ?? gone.get(key),
    forget: (except) => {
      for (const key of gone.keys()) if (!except.has(key)) gone.delete(key);
    },
  };
}

function bookedInstances({ environment, name: service, health, backends }: ServiceRoute): readonly BookedInstance[] {
  return backends.flatMap(({ release, instances }) =>
    instances.map((instance) => {
      const spec = { ...instance, environment, service, release };
      return { ...spec, key: instanceKey(spec), health, healthy: true, failures: 0 };
    }),
  );
}
