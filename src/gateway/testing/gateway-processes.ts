import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDurably } from '../../effects/files.ts';
import { testPort } from '../../testing/test-port.ts';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import type { GatewayProcess } from '../admin/gateway-report.ts';
import { type AdminClient, createAdminClient } from '../control/admin-client.ts';
import { type CrewMember, liveCrew } from '../crew-register.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { recordedProcess } from '../gateway-folder.ts';
import type { RoutingTable } from '../routing-table.ts';
import { endGateway } from './end-gateway.ts';
import { backend, listening, type PartialRoute, routeOf } from './rig.ts';

/** A gateway of real processes in a folder of its own, with one instance behind it and no control plane. */
export interface GatewayProcesses {
  readonly folder: string;
  readonly publicPort: number;
  /** Starts a main process and waits until it is on record. */
  start(): Promise<GatewayProcess>;
  /** The main process on record. */
  main(): Promise<GatewayProcess>;
  /** Of the main process on record. */
  admin(): Promise<AdminClient>;
  /** Serves by these services and the only listener. */
  route(...services: readonly PartialRoute[]): Promise<RoutingTable>;
  /** As `route`, by this engine; it holds until the next word. */
  setEngine(engine: RoutingTable['engine'], ...services: readonly PartialRoute[]): Promise<void>;
  workers(): Promise<readonly CrewMember[]>;
  readonly upstreamPort: number;
  remove(): Promise<void>;
}

export const gatewayProgram = [process.execPath, fileURLToPath(new URL('../main.ts', import.meta.url))] as const;

/** Nothing but where compiled modules are, so that not every process compiles them anew, and the engine of all tests. */
export function bareEnvironment(): Record<string, string> {
  const [cache, engine] = [process.env['NODE_COMPILE_CACHE'], process.env['SLUICE_GATEWAY_ENGINE']];
  return { ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }), ...(engine !== undefined && { SLUICE_GATEWAY_ENGINE: engine }) };
}

export async function createGatewayProcesses(
  handler: RequestListener,
  { workers = 2, environment = {} }: { readonly workers?: number; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<GatewayProcesses> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-gateway-'));
  const upstream: Server = createServer(handler);
  const upstreamPort = await listening(upstream);
  const [internalPort, publicPort] = [await testPort(), await testPort()];
  await writeDurably(gatewayFiles(folder).settings, JSON.stringify({ internal: { host: '127.0.0.1', port: internalPort }, workers }));
  let version = 0;
  let engine: RoutingTable['engine'];

  const main = async (): Promise<GatewayProcess> =>
    until('a main process on record', async () => {
      const recorded = await recordedProcess(folder);
      return recorded !== undefined && isAlive(recorded) ? recorded : undefined;
    });
  const admin = async (): Promise<AdminClient> =>
    createAdminClient({ url: (await main()).adminUrl, token: await readFile(gatewayFiles(folder).token, 'utf8') });

  const route: GatewayProcesses['route'] = async (...services) => {
    version += 1;
    const routes = services.length > 0 ? services : [{ backends: [backend('r1', 1, { a: upstreamPort })] }];
    const listeners = [{ environment: 'test', host: '127.0.0.1', port: publicPort }];
    const table: RoutingTable = { version, listeners, ...(engine !== undefined && { engine }), services: routes.map(routeOf) };
    await (await admin()).putTable(table);
    return table;
  };

  return {
    folder,
    publicPort,
    upstreamPort,
    main,
    admin,
    start: async () => {
      const [command, ...parameters] = gatewayProgram;
      const child: ChildProcess = spawn(command, [...parameters, folder], {
        stdio: 'inherit',
        env: { ...bareEnvironment(), ...environment },
        detached: true,
      });
      return until('the gateway to serve', async () => {
        const recorded = await recordedProcess(folder);
        return recorded?.pid === child.pid ? recorded : undefined;
      });
    },
    route,
    setEngine: async (next, ...services) => {
      engine = next;
      await route(...services);
    },
    workers: () => liveCrew(folder),
    remove: async () => {
      await endGateway(folder);
      upstream.close();
      upstream.closeAllConnections();
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}
