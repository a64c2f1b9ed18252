import { join } from 'node:path';
import type { Clock } from '../../effects/clock.ts';
import { freePort } from '../../effects/ports.ts';
import type { Random } from '../../effects/random.ts';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';
import type { Traffic } from '../../rollout/traffic.ts';
import type { Store } from '../../store/store.ts';
import type { EventLog } from '../../telemetry/events.ts';
import type { GatewayReport } from '../admin/gateway-report.ts';
import { settingsOf } from '../gateway-folder.ts';
import type { GatewayCounts } from '../measuring/report.ts';
import { quantile } from '../measuring/sketch.ts';
import type { ListenerRoute, RoutingTable } from '../routing-table.ts';
import type { AdminClient } from './admin-client.ts';
import { askAsTester } from './ask-as-tester.ts';
import { coalesced } from './coalesce.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { createRouteStore } from './route-store.ts';
import { createSupervisor } from './supervisor.ts';

/** The control plane's side of the gateway: publishes routes and keeps the process running. Throws only SluiceErrors. */
export interface GatewayControl extends Traffic {
  /**
   * Adopts a running gateway or starts one, tells it the stored routes, and replaces it whenever it ends. Resolves also when none can be
   * started now: it is tried again until it succeeds.
   */
  start(): Promise<void>;
  /** Drains and ends the gateway process. */
  stop(): Promise<void>;
  /** Stops supervising; the gateway goes on serving. */
  leave(): void;
  status(): Promise<GatewayStatus>;
  /** How the environment is served, as configured; undefined when nothing was. */
  settings(environment: string): Promise<ListenerSettings | undefined>;
  /** Resolves once the gateway serves so, or, where none runs, once it is stored. Throws `gateway_table_invalid`. */
  configure(environment: string, settings: ListenerSettings | undefined): Promise<void>;
  /** What it has counted since it began. Throws `gateway_unreachable`. */
  counts(): Promise<GatewayCounts>;
  /** Replaces the gateway's processes by new ones of this version of Sluice; no connection is refused. Throws `gateway_start_failed`. */
  upgrade(): Promise<void>;
  /** Why no gateway runs, while none can be started. */
  outage(): string | undefined;
}

interface GatewayStatus {
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  /** What carries the requests. */
  readonly engine: 'embedded' | 'haproxy';
  /** Why it does. */
  readonly engineReason?: string;
  readonly tableVersion: number;
  /** By environment; only those that are being served. */
  readonly publicUrls: Readonly<Record<string, string>>;
  readonly internalUrl: string;
  readonly inFlight: number;
  readonly warnings: readonly string[];
  readonly services: readonly ServiceStatus[];
}

interface ServiceStatus {
  readonly environment: string;
  readonly name: string;
  readonly inFlight: number;
  readonly instances: readonly Omit<GatewayReport['instances'][number], 'environment' | 'service'>[];
}

export interface GatewayControlDependencies {
  /** SLUICE_HOME; the gateway lives in its folder `gateway`. */
  readonly home: string;
  readonly store: Store;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether any instance runs: each has the internal address in its environment, which then cannot change. */
  readonly instancesRun: () => Promise<boolean>;
}

/** Answers of a release from which its quantiles are known well enough. */
const fewestLatencies = 100;
const stopDrainMs = 10_000;
const publishTries = 6;
const publishLimitMs = 20_000;
const retryMs = 150;

export function createGatewayControl(dependencies: GatewayControlDependencies): GatewayControl {
  const { home, store, events, clock, random, instancesRun } = dependencies;
  const folder = join(home, 'gateway');
  const routes = createRouteStore(store);
  const supervisor = createSupervisor({ folder, clock, random, events, instancesRun, onReplaced: () => settleIn() });

  let told: { readonly client: AdminClient; readonly table: RoutingTable } | undefined;

  /** What has changed since the last time, or everything to one that has another table, or is of a version that does not take changes. */
  const tell = async (client: AdminClient, table: RoutingTable): Promise<void> => {
    const before = told?.client === client ? told.table : undefined;
    told = undefined;
    if (before === undefined || before.version >= table.version) return client.putTable(table);
    try {
      await client.amendTable(before, table);
    } catch (error) {
      const isWorthTrying = error instanceof SluiceError && ['gateway_table_stale', 'gateway_route_unknown'].includes(error.code);
      if (!isWorthTrying) throw error;
      await client.putTable(table);
    }
  };

  /** Makes the gateway route by what the store says, however often it is restarted or contradicted meanwhile. */
  const synchronize = coalesced(async () => {
    const deadline = clock.monotonic() + publishLimitMs;
    for (let tries = 1; ; tries += 1) {
      try {
        const client = await supervisor.client();
        const table = await routes.table();
        await tell(client, table);
        told = { client, table };
        return;
      } catch (error) {
        if (tries >= publishTries || clock.monotonic() > deadline || !(await canGoOn(error))) throw error;
      }
    }
  });

  /** For a gateway that has just begun: one that has a table from before may have found a port of it taken. */
  const settleIn = async (): Promise<void> => {
    await synchronize();
    if (await moveTakenListeners(await supervisor.client(), await routes.table())) await synchronize();
  };

  /** Whether another try makes sense, after doing what it takes. */
  const canGoOn = async (error: unknown): Promise<boolean> => {
    if (!(error instanceof SluiceError)) return false;
    if (error.code === 'gateway_unreachable') {
      if (supervisor.outage() !== undefined) return false;
      await clock.sleep(retryMs);
      return true;
    }
    if (error.code === 'gateway_table_stale') {
      // Either another control plane published in between, or this store is older than the gateway's memory. The store decides: a
      // control plane that lost its leadership cannot write to it.
      await routes.raiseAbove((await (await supervisor.client()).report()).tableVersion ?? 0);
      return true;
    }
    return error.code === 'gateway_port_taken' && moveTakenListeners(await supervisor.client(), await routes.table());
  };

  const moveTakenListeners = async (client: AdminClient, table: RoutingTable): Promise<boolean> => {
    const open = new Set((await client.report()).listeners.filter((each) => each.closedBecause === undefined).map(({ port }) => port));
    let hasMoved = false;
    for (const { environment, host, port, tls } of table.listeners) {
      if (tls !== undefined && !open.has(tls.port) && (await freePort(host, tls.port)) !== tls.port) {
        const moved = await routes.moveTlsListener(environment);
        if (moved !== undefined) {
          hasMoved = true;
          const message = `Port ${tls.port} is taken by another program: environment '${environment}' now answers at https://${host}:${moved}.`;
          await events.publish({ type: 'gateway.started', level: 'warning', message, environment }).catch(() => undefined);
        }
      }
      if (open.has(port) || (await freePort(host, port)) === port) continue;
      const moved = await routes.moveListener(environment);
      if (moved === undefined) continue;
      hasMoved = true;
      const message = `Port ${port} is taken by another program: environment '${environment}' now answers at ${urlOf(moved)}.`;
      await events.publish({ type: 'gateway.started', level: 'warning', message, environment }).catch(() => undefined);
    }
    return hasMoved;
  };

  const report = async (): Promise<GatewayReport> => (await supervisor.client()).report();

  return {
    start: async () => {
      await supervisor.start();
      if (supervisor.outage() === undefined) await settleIn();
    },
    stop: () => supervisor.stop(stopDrainMs),
    leave: () => supervisor.leave(),
    publish: async (route) => {
      await routes.put(route);
      await synchronize();
    },
    remove: async (service) => {
      await routes.remove(service);
      // Where no gateway runs, nothing is routed; the next one is told what is stored.
      if (supervisor.outage() === undefined) await synchronize();
    },
    inFlight: async ({ environment, name }) => {
      if (supervisor.outage() !== undefined) return new Map();
      const counts = new Map<string, number>();
      for (const each of (await report()).instances) {
        if (each.environment === environment && each.service === name) counts.set(each.id, (counts.get(each.id) ?? 0) + each.inFlight);
      }
      return counts;
    },
    settings: (environment) => routes.settings(environment),
    configure: async (environment, settings) => {
      await routes.configure(environment, settings);
      if (supervisor.outage() === undefined) await synchronize();
    },
    evidence: async ({ environment, name }, id) => {
      if (supervisor.outage() !== undefined) return undefined;
      const { epoch: life, evidenceEpoch: epoch = life, evidence } = await (await supervisor.client()).counts();
      const found = evidence.find((each) => each.environment === environment && each.service === name && each.id === id);
      return found && { epoch, id: found.id, strata: found.strata, copies: found.copies, isComplete: found.lost.chances === 0 };
    },
    latencies: async ({ environment, name }, release, quantiles) => {
      if (supervisor.outage() !== undefined) return undefined;
      const { releases } = await (await supervisor.client()).counts();
      const found = releases.find((each) => each.environment === environment && each.service === name && each.release === release);
      if (found === undefined || found.total.count < fewestLatencies) return undefined;
      return quantiles.map((each) => quantile(found.total, each) ?? 0);
    },
    ask: async ({ environment }, route, check) => {
      if (supervisor.outage() !== undefined) throw sluiceError('gateway_unreachable', { reason: supervisor.outage() ?? '' });
      return askAsTester(publicUrlOf(await routes.listener(environment)), route, check, clock);
    },
    publicUrl: async (environment) => publicUrlOf(await routes.listener(environment)),
    internalUrl: async () => {
      // Whoever asks is about to tell an instance: if none runs, this is the moment to leave a port that is taken.
      await supervisor.retry();
      return urlOf((await settingsOf(folder)).internal);
    },
    status: async () => statusOf(await report(), await routes.table()),
    counts: async () => (await supervisor.client()).counts(),
    upgrade: () => supervisor.upgrade(),
    outage: () => supervisor.outage(),
  };
}

/** What clients are told: the encrypted one where there is one. */
function publicUrlOf({ host, port, tls }: ListenerRoute): string {
  if (tls === undefined) return urlOf({ host, port });
  return tls.port === 443 ? `https://${nameOf(host)}` : `https://${nameOf(host)}:${tls.port}`;
}

function urlOf({ host, port }: { host: string; port: number }): string {
  return `http://${nameOf(host)}:${port}`;
}

/** As it stands in a URL. One that means every address is given as the one that is there for certain. */
function nameOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function statusOf(report: GatewayReport, table: RoutingTable): GatewayStatus {
  if (report.tableVersion === undefined) throw sluiceError('gateway_unreachable', { reason: 'it has no routing table yet' });
  const services = new Map<
    string,
    { environment: string; name: string; inFlight: number; instances: ServiceStatus['instances'][number][] }
  >();
  for (const { environment, service, ...instance } of report.instances) {
    const key = `${environment}/${service}`;
    const known = services.get(key) ?? { environment, name: service, inFlight: 0, instances: [] };
    known.inFlight += instance.inFlight;
    known.instances.push(instance);
    services.set(key, known);
  }
  const closed = new Set(report.listeners.filter((each) => each.closedBecause !== undefined).map(({ environment }) => environment));
  const served = new Set(report.listeners.map(({ environment }) => environment));
  const open = table.listeners.filter(({ environment }) => served.has(environment) && !closed.has(environment));
  return {
    pid: report.pid,
    startedAt: report.startedAt,
    engine: report.engine ?? 'embedded',
    ...(report.engineReason !== undefined && { engineReason: report.engineReason }),
    tableVersion: report.tableVersion,
    publicUrls: Object.fromEntries(open.map((listener) => [listener.environment, publicUrlOf(listener)])),
    internalUrl: report.internalUrl,
    inFlight: report.inFlight,
    warnings: report.warnings,
    services: [...services.values()],
  };
}
