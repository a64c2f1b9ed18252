import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../effects/clock.ts';
import { testPort } from '../../testing/test-port.ts';
import { type Random, seededRandom } from '../../effects/random.ts';
import type { GatewayReport } from '../admin/gateway-report.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { defaultLimits, type Limits } from '../http/limits.ts';
import { silentLog } from '../log.ts';
import { createMeasuring } from '../measuring/measuring.ts';
import type { GatewayCounts } from '../measuring/report.ts';
import type { BackendRoute, RoutingTable, ServiceRoute } from '../routing-table.ts';
import type { Snapshot } from '../table/snapshot.ts';
import { soloCrew } from '../worker/crew.ts';
import { createEmbeddedPlane } from '../worker/embedded-plane.ts';
import { createServing } from '../worker/serving.ts';

/** A gateway in this process with real sockets, and real servers behind it. Dispose it after the test. */
export interface Rig {
  readonly gateway: LocalGateway;
  readonly publicPort: number;
  readonly publicUrl: string;
  readonly internalPort: number;
  /** Starts a server that plays an instance; closed with the rig. */
  serve(handler: RequestListener): Promise<Upstream>;
  /** Puts these services in force, all of environment `test` with the host `app.test` unless they say otherwise. */
  route(...services: readonly PartialRoute[]): Promise<RoutingTable>;
  /** Waits for nothing: what the report says now. */
  inFlight(id: string): number;
  close(): Promise<void>;
}

/** One that serves in this process, so that what it reports is known at once. */
interface LocalGateway extends Pick<Gateway, 'apply' | 'drain'> {
  report(): GatewayReport;
  counts(): Promise<GatewayCounts>;
}

interface Upstream {
  readonly server: Server;
  readonly port: number;
}

export type PartialRoute = Partial<ServiceRoute>;

export const token = (service: string): string => `token-of-${service}`;
export const tokenDigest = (service: string): string => createHash('sha256').update(token(service)).digest('hex');

export function backend(
  release: string,
  weight: number,
  instances: Record<string, number | { port: number; draining: true }>,
): BackendRoute {
  return {
    release,
    weight,
    instances: Object.entries(instances).map(([id, spec]) => ({
      id,
      host: '127.0.0.1',
      port: typeof spec === 'number' ? spec : spec.port,
      state: typeof spec === 'number' ? 'active' : 'draining',
    })),
  };
}

export function routeOf(partial: PartialRoute): ServiceRoute {
  const name = partial.name ?? 'app';
  return {
    environment: 'test',
    name,
    expose: [{ host: 'app.test', path: '/' }],
    calls: [],
    tokenDigests: [tokenDigest(name)],
    health: { intervalMs: 60_000, timeoutMs: 1_000 },
    backends: [],
    ...partial,
  };
}

function memorySnapshot(): Snapshot {
  let saved: RoutingTable | undefined;
  return {
    save: async (table) => {
      saved = table;
    },
    load: async () => (saved ? { table: saved } : {}),
  };
}

export async function createRig(limits: Partial<Limits> = {}, random: Random = seededRandom(1)): Promise<Rig> {
  const clock = systemClock;
  const folder = join(tmpdir(), `sluice-rig-${process.pid}`);
  const serving = createServing({
    folder,
    clock,
    random,
    identifiers: seededRandom(2),
    log: silentLog,
    limits: { ...defaultLimits, ...limits },
    onEjected: (key) => master.ejected(key),
  });
  const plane = createEmbeddedPlane({ crew: soloCrew(serving), clock });
  const measuring = createMeasuring({ clock, random: seededRandom(4), collect: async () => [['only', serving.takeCounts()]] });
  const master = createGateway({ measuring, plane, snapshot: memorySnapshot(), clock, random: seededRandom(3), log: silentLog });
  const gateway: LocalGateway = {
    apply: (table) => master.apply(table),
    drain: (deadlineMs) => master.drain(deadlineMs),
    counts: () => master.counts(),
    report: () => master.describe({ ...serving.report(), listeners: plane.listeners() }),
  };
  const { internalPort } = await master.start({ host: '127.0.0.1', port: 0 });
  const publicPort = await testPort();
  const servers: Server[] = [];
  let version = 0;

  return {
    gateway,
    publicPort,
    publicUrl: `http://127.0.0.1:${publicPort}`,
    internalPort,
    serve: async (handler) => {
      const server = createServer(handler);
      servers.push(server);
      return { server, port: await listening(server) };
    },
    route: async (...services) => {
      version += 1;
      const table = { version, listeners: [{ environment: 'test', host: '127.0.0.1', port: publicPort }], services: services.map(routeOf) };
      await gateway.apply(table);
      return table;
    },
    inFlight: (id) => gateway.report().instances.find((instance) => instance.id === id)?.inFlight ?? 0,
    close: async () => {
      await gateway.drain(0);
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
