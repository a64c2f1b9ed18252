import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import { chooseInstance } from '../balancing/choose.ts';
import { createInstances, type Instance } from '../balancing/instance.ts';
import type { InstanceHealth, InstanceLoad } from '../data-plane.ts';
import { judge, type Observation } from '../health/judge.ts';
import { createAgents } from '../http/agents.ts';
import type { Engine, Exchange } from '../http/engine.ts';
import type { Limits } from '../http/limits.ts';
import { createIdentifiers } from '../http/trace.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { GatewayLog } from '../log.ts';
import type { RoutedService, Routes } from '../routing/routes.ts';
import type { RoutingTable } from '../routing-table.ts';
import { compileTable, refreshReady } from '../table/compile-table.ts';
import { type Acceptor, createAcceptor } from './acceptor.ts';
import { type Door, environmentsOf } from './door.ts';

/** The HTTP engine with all it needs to serve by a table, in whatever process it runs. */
export interface Serving {
  /** Accepts connections from the socket, which is then its own. Throws `gateway_port_taken` when another program listens there. */
  open(door: Door, socket: BoundSocket): Promise<void>;
  /** Accepts no more at this address; what runs goes on. */
  close(address: string): void;
  /** Serves every later request by this table, of whose instances these are known to be unhealthy. */
  putInForce(table: RoutingTable, unhealthy: Iterable<string>): void;
  setHealth(changes: readonly InstanceHealth[]): void;
  report(): ServingReport;
  /** Accepts nothing new, lets what runs finish, and breaks off what is left at the deadline. */
  drain(deadlineMs: number): Promise<void>;
}

export interface ServingReport {
  readonly inFlight: number;
  readonly instances: readonly InstanceLoad[];
}

export interface ServingDependencies {
  readonly clock: Clock;
  /** Draws releases and instances; a seeded one will do. */
  readonly random: Random;
  /** Draws request and trace ids. */
  readonly identifiers: Random;
  readonly log: GatewayLog;
  readonly limits: Limits;
  /** An instance is left out because of what happened to its requests. */
  readonly onEjected: (key: string) => void;
}

/** How long a drain waits for the request of a connection that has none. */
const firstRequestMs = 1_000;

const noRoutes: Routes = { version: -1, exposed: new Map(), callers: new Map(), services: [] };

export function createServing({ clock, random, identifiers, log, limits, onEjected }: ServingDependencies): Serving {
  const running = new Set<Exchange>();
  const agents = createAgents(limits.upstreamKeepAliveMs);
  const instances = createInstances((instance) => agents.forget(instance));
  const life = new AbortController();
  const acceptors = new Map<string, Acceptor>();
  const leaving = new Set<Acceptor>();
  let routes: Routes = noRoutes;
  let environments: ReadonlyMap<string, string> = new Map();
  let members = new Map<string, { readonly instance: Instance; readonly service: RoutedService }>();
  let stopping = false;

  const observe = (instance: Instance, observation: Observation): void => {
    if (!judge(instance, observation)) return;
    const member = members.get(instance.key);
    if (member !== undefined) refreshReady(member.service);
    log.warn({ instance: instance.key, healthy: instance.healthy, observation }, 'instance health changed');
    if (!instance.healthy) onEjected(instance.key);
  };

  const engine: Engine = {
    dispatch: {
      routes: () => routes,
      choose: (service, tried) => chooseInstance(service.backends, random, tried),
      acquire: (instance) => instances.acquire(instance),
      release: (instance) => instances.release(instance),
      report: observe,
    },
    limits,
    log,
    now: () => clock.monotonic(),
    identifier: createIdentifiers(identifiers),
    agentOf: (instance) => agents.of(instance),
    running,
    isStopping: () => stopping,
  };

  const sweep = async (): Promise<void> => {
    const shortest = Math.min(limits.connectMs, limits.bodyIdleMs, limits.responseHeadMs, limits.streamIdleMs, limits.upgradeIdleMs);
    const interval = Math.max(20, Math.min(500, shortest / 4));
    for (;;) {
      await clock.sleep(interval, life.signal);
      const now = clock.monotonic();
      for (const exchange of running) exchange.expire(now);
    }
  };
  // Ends only when `life` does, by rejection.
  sweep().catch(() => {});

  const close = (address: string): void => {
    const acceptor = acceptors.get(address);
    if (acceptor === undefined) return;
    acceptors.delete(address);
    leaving.add(acceptor);
    acceptor.close();
  };

  const setHealth = (changes: readonly InstanceHealth[]): void => {
    const touched = new Set<RoutedService>();
    for (const { key, healthy } of changes) {
      const member = members.get(key);
      if (member === undefined || member.instance.healthy === healthy) continue;
      member.instance.healthy = healthy;
      member.instance.failures = 0;
      touched.add(member.service);
    }
    for (const service of touched) refreshReady(service);
  };

  /** A client that had connected a moment before may be about to send its request. */
  const isDone = (elapsedMs: number): boolean => {
    if (running.size > 0) return false;
    return elapsedMs > firstRequestMs || leaving.values().every((acceptor) => acceptor.connections() === 0);
  };

  return {
    open: async (door, socket) => {
      const side = door.side === 'internal' ? { kind: 'internal' as const } : publicSide(door.address);
      const acceptor = createAcceptor(engine, side, door);
      await acceptor.open(socket);
      acceptors.set(door.address, acceptor);
    },
    close,
    putInForce: (table, unhealthy) => {
      routes = compileTable(table, instances);
      environments = environmentsOf(table);
      members = new Map(
        routes.services.flatMap((service) => service.instances.map((instance) => [instance.key, { instance, service }] as const)),
      );
      setHealth(Array.from(unhealthy, (key) => ({ key, healthy: false })));
      agents.settle();
    },
    setHealth,
    report: () => ({
      inFlight: running.size,
      instances: Array.from(instances.all(), ({ key, state, inFlight }) => ({ key, state, inFlight })),
    }),
    drain: async (deadlineMs) => {
      stopping = true;
      for (const address of acceptors.keys()) close(address);
      const begun = clock.monotonic();
      while (clock.monotonic() < begun + deadlineMs && !isDone(clock.monotonic() - begun)) await clock.sleep(20);
      if (running.size > 0) log.warn({ left: running.size }, 'drain deadline passed');
      for (const exchange of running) exchange.terminate();
      for (const acceptor of leaving) acceptor.destroy();
      life.abort(new Error('stopped'));
      agents.close();
    },
  };

  function publicSide(address: string): { kind: 'public'; environment: () => string | undefined } {
    return { kind: 'public', environment: () => environments.get(address) };
  }
}
