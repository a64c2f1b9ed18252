import type { Clock } from '../effects/clock.ts';
import type { Workloads } from '../providers/workloads.ts';
import type { EventLog } from '../telemetry/events.ts';
import { serviceKey, type ServiceDocuments } from './service-documents.ts';

const orphanGraceMs = 10_000;
const orphanPauseMs = 5_000;

export interface Adopted {
  readonly keys: readonly string[];
  /** Instance id to the key of its service. */
  readonly owners: ReadonlyMap<string, string>;
}

/**
 * Compares what runs with what is known at the start of a control plane: instances of a service go on and are told of; an instance that
 * no service knows is stopped and forgotten, in the background. Those of a service that cannot be understood are left alone.
 */
export async function adoptInstances(ports: {
  readonly workloads: Workloads;
  readonly documents: ServiceDocuments;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<Adopted> {
  const { workloads, documents, events } = ports;
  // What runs is asked first: an instance is part of its service's document before it is started.
  const found = await workloads.list();
  const services = await documents.list();
  const keys = await documents.keys();
  const owners = new Map(services.flatMap((state) => state.instances.map(({ id }) => [id, serviceKey(state.address)] as const)));
  for (const { id, service } of found) {
    if (!owners.has(id)) {
      const mayBelong = keys.includes(serviceKey(service)) && !services.some(({ address }) => address === service);
      if (!mayBelong) void endOrphan(id, ports);
      continue;
    }
    const status = await workloads.inspect(id);
    if (status.status !== 'running') continue;
    const [environment = ''] = service.split('/');
    const message = `${id} runs on with pid ${status.instance.pid} and was adopted`;
    await events.publish({ type: 'instance.adopted', level: 'info', message, environment, address: service, data: { instance: id } });
  }
  return { keys, owners };
}

async function endOrphan(id: string, { workloads, clock, signal }: Parameters<typeof adoptInstances>[0]): Promise<void> {
  while (!signal.aborted) {
    try {
      await workloads.stop(id, orphanGraceMs);
      await workloads.forget(id);
      return;
    } catch {
      await clock.sleep(orphanPauseMs, signal).catch(() => undefined);
    }
  }
}
