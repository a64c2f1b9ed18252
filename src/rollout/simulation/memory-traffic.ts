import type { ServiceRoute } from '../../gateway/routing-table.ts';
import type { Traffic } from '../traffic.ts';

export interface MemoryTraffic extends Traffic {
  route(service: { environment: string; name: string }): ServiceRoute | undefined;
  /** Begins a request on the instance with the least work; undefined when none may get it. */
  begin(service: { environment: string; name: string }): { readonly instance: string; end(): void } | undefined;
  inFlightOf(instance: string): number;
}

/** A data plane that only counts; for simulations. */
export function createMemoryTraffic(): MemoryTraffic {
  const routes = new Map<string, ServiceRoute>();
  const working = new Map<string, number>();
  const inFlightOf = (instance: string): number => working.get(instance) ?? 0;

  return {
    inFlightOf,
    route: (service) => routes.get(keyOf(service)),
    begin(service) {
      const backends = routes.get(keyOf(service))?.backends.filter(({ weight }) => weight > 0) ?? [];
      const active = backends.flatMap(({ instances }) => instances.filter(({ state }) => state === 'active'));
      const [chosen] = active.toSorted((left, right) => inFlightOf(left.id) - inFlightOf(right.id));
      if (!chosen) return undefined;
      working.set(chosen.id, inFlightOf(chosen.id) + 1);
      return { instance: chosen.id, end: () => working.set(chosen.id, inFlightOf(chosen.id) - 1) };
    },
    async publish(route) {
      routes.set(keyOf(route), structuredClone(route));
    },
    async remove(service) {
      routes.delete(keyOf(service));
    },
    async inFlight(service) {
      const instances = routes.get(keyOf(service))?.backends.flatMap((backend) => backend.instances) ?? [];
      return new Map(instances.map(({ id }) => [id, inFlightOf(id)]));
    },
    evidence: async () => undefined,
    latencies: async () => undefined,
    publicUrl: async () => 'http://127.0.0.1:7080',
    internalUrl: async () => 'http://127.0.0.1:7081',
  };
}

function keyOf({ environment, name }: { environment: string; name: string }): string {
  return `${environment}/${name}`;
}
