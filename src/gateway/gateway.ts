import { jsonEquals } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { GatewayReport } from './admin/gateway-report.ts';
import { chooseInstance } from './balancing/choose.ts';
import { createInstances, type Instance } from './balancing/instance.ts';
import { createHealthChecks } from './health/checks.ts';
import { judge, type Observation } from './health/judge.ts';
import { probe } from './health/probe.ts';
import { createEngine, type Engine } from './http/engine.ts';
import { createFront } from './http/front.ts';
import { defaultLimits, type Limits } from './http/limits.ts';
import { createIdentifiers } from './http/trace.ts';
import { listen } from './listening/listen.ts';
import { createFrontServer } from './listening/front-server.ts';
import { createPublicListeners } from './listening/public-listeners.ts';
import type { GatewayLog } from './log.ts';
import type { RoutedService, Routes } from './routing/routes.ts';
import type { RoutingTable } from './routing-table.ts';
import { parseTable } from './table/check-table.ts';
import { compileTable, refreshReady } from './table/compile-table.ts';
import type { Snapshot } from './table/snapshot.ts';

/** The data plane, without its process: routing, proxying, health and drain behind three verbs and a report. */
export interface Gateway {
  /** Opens the internal listener and serves by the last snapshot at once. */
  start(internal: { host: string; port: number }): Promise<{ internalPort: number }>;
  /**
   * Puts a table in force: later requests see all of it, running ones are not touched. Resolves once it is durable. Throws
   * `gateway_table_invalid`, `gateway_table_stale` or `gateway_port_taken`; then everything is as before.
   */
  apply(table: unknown): Promise<void>;
  report(): GatewayReport;
  /** Accepts nothing new, lets what runs finish, and breaks off what is left at the deadline. */
  drain(deadlineMs: number): Promise<void>;
}

export interface GatewayDependencies {
  readonly snapshot: Snapshot;
  readonly clock: Clock;
  /** Draws releases and instances; a seeded one will do. */
  readonly random: Random;
  /** Draws request and trace ids. */
  readonly identifiers: Random;
  readonly log: GatewayLog;
  readonly limits?: Partial<Limits>;
}

const noRoutes: Routes = { version: -1, exposed: new Map(), callers: new Map(), services: [] };

export function createGateway(dependencies: GatewayDependencies): Gateway {
  const { snapshot, clock, random, log } = dependencies;
  const limits = { ...defaultLimits, ...dependencies.limits };
  const startedAt = timestamp(clock.now());
  const warnings: string[] = [];
  const instances = createInstances((instance) => engine.pools.forget(instance));
  const life = new AbortController();
  let routes: Routes = noRoutes;
  let table: RoutingTable | undefined;
  let owners = new Map<Instance, RoutedService>();
  let stopping = false;
  let internalUrl = '';
  let queue: Promise<void> = Promise.resolve();

  const observe = (instance: Instance, observation: Observation): void => {
    if (!judge(instance, observation)) return;
    log.warn({ instance: instance.key, healthy: instance.healthy, observation }, 'instance health changed');
    const owner = owners.get(instance);
    if (owner) refreshReady(owner);
  };
  const checks = createHealthChecks({ clock, random, probe, report: observe });

  const engine: Engine = createEngine({
    dispatch: {
      routes: () => routes,
      choose: (service, tried, assigned) => {
        const hasReady = assigned?.ready.some((instance) => !tried.includes(instance)) === true;
        return chooseInstance(hasReady ? [{ ...assigned, weight: 1 }] : service.backends, random, tried);
      },
      acquire: (instance) => instances.acquire(instance),
      release: (instance) => instances.release(instance),
      report: observe,
    },
    limits,
    log,
    clock,
    point: () => random.next(),
    identifier: createIdentifiers(dependencies.identifiers),
    isStopping: () => stopping,
  });
  const listeners = createPublicListeners((environment) => createFrontServer(createFront(engine, { kind: 'public', environment })), clock);
  const internalServer = createFrontServer(createFront(engine, { kind: 'internal' }));

  const putInForce = (next: RoutingTable): void => {
    routes = compileTable(next, instances);
    table = next;
    owners = new Map(routes.services.flatMap((service) => service.instances.map((instance) => [instance, service] as const)));
    engine.pools.settle();
    checks.follow(routes.services);
  };

  const applyOne = async (value: unknown): Promise<void> => {
    const next = parseTable(value);
    const current = table?.version ?? -1;
    if (next.version < current) throw sluiceError('gateway_table_stale', { offered: next.version, current });
    if (next.version === current) {
      if (table !== undefined && jsonEquals(next, table)) return;
      throw sluiceError('gateway_table_stale', { offered: next.version, current });
    }
    const prepared = await listeners.prepare(next.listeners);
    try {
      await snapshot.save(next);
    } catch (error) {
      prepared.discard();
      throw error;
    }
    putInForce(next);
    prepared.commit();
    log.info({ version: next.version, services: next.services.length }, 'routing table applied');
  };

  const sweep = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(engine.sweepMs, life.signal);
      engine.sweep();
    }
  };

  return {
    start: async ({ host, port }) => {
      const internalPort = await listen(internalServer.server, host, port);
      internalUrl = `http://${host}:${internalPort}`;
      const { table: last, damaged } = await snapshot.load();
      if (damaged) {
        warnings.push(`the last routing table was damaged (${damaged.reason}) and is kept as ${damaged.setAside}`);
        log.error(damaged, 'snapshot set aside');
      }
      if (last) {
        putInForce(last);
        await listeners.restore(last.listeners);
      }
      // Ends only when `life` does, by rejection.
      sweep().catch(() => {});
      return { internalPort };
    },
    apply: (value) => {
      const applied = queue.then(() => applyOne(value));
      queue = applied.catch(() => {});
      return applied;
    },
    report: () => ({
      pid: process.pid,
      startedAt,
      ...(table && { tableVersion: table.version }),
      stopping,
      warnings: [...warnings],
      internalUrl,
      listeners: [...listeners.status()],
      inFlight: engine.running.size,
      instances: Array.from(instances.all(), ({ environment, service, release, id, state, healthy, inFlight }) => ({
        environment,
        service,
        release,
        id,
        state,
        healthy,
        inFlight,
      })),
    }),
    drain: async (deadlineMs) => {
      stopping = true;
      listeners.close();
      internalServer.close();
      const deadline = clock.monotonic() + deadlineMs;
      while (engine.running.size > 0 && clock.monotonic() < deadline) await clock.sleep(20);
      if (engine.running.size > 0) log.warn({ left: engine.running.size }, 'drain deadline passed');
      for (const exchange of engine.running) exchange.terminate();
      listeners.destroy();
      internalServer.destroy();
      checks.stop();
      life.abort(new Error('stopped'));
      engine.pools.close();
    },
  };
}
