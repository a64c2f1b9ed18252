import { testPort } from '../../testing/test-port.ts';
import type { DataPlane } from '../data-plane.ts';
import type { Limits } from '../http/limits.ts';
import type { ReleaseCounts } from '../measuring/counts.ts';
import type { RoutingTable } from '../routing-table.ts';
import { routeOf } from '../testing/rig.ts';
import type { Capabilities, GatewayKind } from './gateway-under-test.ts';
import { createPlayedInstances } from './instances.ts';

export interface OpenedPlane {
  readonly plane: DataPlane;
  counts(): Promise<readonly ReleaseCounts[]>;
  /** After the plane has been drained. */
  remove(): Promise<void>;
}

/** Holds any DataPlane to the contract through its port. */
export function planeKind(name: string, can: Capabilities, open: (limits: Partial<Limits>) => Promise<OpenedPlane>): GatewayKind {
  return {
    name,
    can,
    create: async (limits = {}) => {
      const opened = await open(limits);
      const { plane } = opened;
      const { internalPort } = await plane.start({ host: '127.0.0.1', port: 0 });
      const publicPort = await testPort();
      const instances = createPlayedInstances();
      let version = 0;
      let isDrained = false;
      const apply = async (table: RoutingTable): Promise<void> => {
        const prepared = await plane.prepare(table, { tolerateTakenPorts: false });
        await prepared.commit();
      };
      const drain = async (deadlineMs: number): Promise<void> => {
        isDrained = true;
        await plane.drain(deadlineMs);
      };
      return {
        publicPort,
        internalPort,
        serve: (handler) => instances.serve(handler),
        route: async (...services) => {
          version += 1;
          const listeners = [{ environment: 'test', host: '127.0.0.1', port: publicPort }];
          const table = { version, listeners, services: services.map(routeOf) };
          await apply(table);
          return table;
        },
        apply,
        setHealth: (service, id, port, healthy) => plane.setHealth([{ key: `test/${service}/${id}@127.0.0.1:${port}`, healthy }]),
        report: () => plane.report(),
        inFlight: async (id) => {
          const { instances: loads } = await plane.report();
          return loads.find(({ key }) => key.includes(`/${id}@`))?.inFlight ?? 0;
        },
        counts: () => opened.counts(),
        drain,
        close: async () => {
          if (!isDrained) await drain(0);
          instances.close();
          await opened.remove();
        },
      };
    },
  };
}
