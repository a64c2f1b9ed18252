import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import { chooseAssigned, chooseInstance } from '../balancing/choose.ts';
import { createInstances, type Instance } from '../balancing/instance.ts';
import type { InstanceHealth, InstanceLoad } from '../data-plane.ts';
import type { Refusal } from '../http/answer.ts';
import type { RequestHead } from '../http/downstream.ts';
import { judge, type Observation } from '../health/judge.ts';
import { createEngine } from '../http/engine.ts';
import type { Front } from '../http/engine.ts';
import { createFront } from '../http/front.ts';
import { flushDue } from '../http/outbox.ts';
import type { Side } from '../http/exchange/admit.ts';
import type { Limits } from '../http/limits.ts';
import { createIdentifiers } from '../http/trace.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import { createSpendingBook, limitName, type Spending } from '../limits/spending.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { GatewayLog } from '../log.ts';
import type { QueueState } from '../measuring/counts.ts';
import { createMeters, type WorkerCounts } from '../measuring/meters.ts';
import type { RequestObserver } from '../measuring/observer.ts';
import type { RoutedService, Routes } from '../routing/routes.ts';
import type { ListenerRoute, RoutingTable } from '../routing-table.ts';
import { type CompiledTable, compileTable, refreshReady, tickPolicies } from '../table/compile-table.ts';
import { createPolicyMemory } from '../table/service-policies.ts';
import type { EncryptedFront } from '../tls/encrypted-front.ts';
import { plainAnswer } from '../tls/plain-answers.ts';
import { createServingCertificates } from '../tls/serving-certificates.ts';
import { type Acceptor, createAcceptor } from './acceptor.ts';
import { type Door, listenersOf } from './door.ts';
import { type Demand, queueName, type Share } from './messages.ts';

/** The HTTP engine with all it needs to serve by a table, in whatever process it runs. */
export interface Serving {
  /** Accepts connections from the socket, which is then its own. Throws `gateway_port_taken` when another program listens there. */
  open(door: Door, socket: BoundSocket): Promise<void>;
  /** A further handle of a socket that is open; it is closed when that is not. */
  reserve(address: string, socket: BoundSocket): void;
  /** Accepts by all handles there are, at all doors. */
  crowd(): void;
  /** Accepts by one handle a door; how many were given up. */
  calm(): number;
  /** Accepts no more at this address; what runs goes on. */
  close(address: string): void;
  /** Serves every later request by this table, of whose instances these are known to be unhealthy. */
  putInForce(table: RoutingTable, unhealthy: Iterable<string>): void;
  setHealth(changes: readonly InstanceHealth[]): void;
  /** How much of the limited services' concurrency it may use. For one that is `oneOfMany`. */
  setShares(shares: readonly Share[]): void;
  /** Of the limited services of which it has changed since the last time. */
  demands(): readonly Demand[];
  /** What others have let through counts here too, and `takeSpent` is what they have to be told. */
  spend(spent: readonly Spending[]): void;
  takeSpent(): readonly Spending[];
  report(): ServingReport;
  /** To be taken once: see `Meters.snapshot`. */
  takeCounts(isLast?: boolean): WorkerCounts;
  /** Accepts nothing new, lets what runs finish, and breaks off what is left at the deadline. */
  drain(deadlineMs: number): Promise<void>;
}

export interface ServingReport {
  readonly inFlight: number;
  readonly instances: readonly InstanceLoad[];
}

export interface ServingDependencies {
  /** Of the gateway: where automatic certificates and the answers to their challenges are. */
  readonly folder: string;
  readonly clock: Clock;
  /** Draws releases and instances; a seeded one will do. */
  readonly random: Random;
  /** Draws request and trace ids. */
  readonly identifiers: Random;
  readonly log: GatewayLog;
  readonly limits: Limits;
  readonly observer?: RequestObserver | undefined;
  /** Others serve by the same table: limited services begin with nothing and run what they are given shares for. */
  readonly oneOfMany?: boolean;
  /** Rate limits have let something through since the last `takeSpent`. For one that is `oneOfMany`. */
  readonly onSpending?: () => void;
  /** An instance is left out because of what happened to its requests. */
  readonly onEjected: (key: string) => void;
}

/** How long a drain waits for the request of a connection that has none. */
const firstRequestMs = 500;
/** By so much a request may wait longer than its queue allows. */
const policyTickMs = 25;

/** One of the limits that are shared by all workers, as this one sees it. */
interface SharedLimit {
  readonly wanted: () => number;
  readonly used: () => number;
  readonly told: { requests: number; settled: number | undefined };
}

function sharedLimit(wanted: () => number, used: () => number): SharedLimit {
  return { wanted, used, told: { requests: 0, settled: undefined } };
}

const nameOf = ({ environment, name }: RoutedService): string => `${environment}/${name}`;

const noRoutes: Routes = { version: -1, exposed: new Map(), callers: new Map(), services: [] };

export function createServing(dependencies: ServingDependencies): Serving {
  const { folder, clock, random, identifiers, log, limits, observer, onEjected, oneOfMany, onSpending } = dependencies;
  const instances = createInstances((instance) => engine.pools.forget(instance));
  const spending = createSpendingBook(() => onSpending?.());
  const policies = createPolicyMemory(() => clock.monotonic(), oneOfMany === true ? (limit, key) => spending.taken(limit, key) : undefined);
  const certificates = createServingCertificates(folder, clock, log);
  const encrypted = new Map<string, EncryptedFront>();
  const meters = createMeters({ clock, queues: () => routes.services.flatMap(queueOf) });
  const life = new AbortController();
  const acceptors = new Map<string, Acceptor>();
  /** Addresses of those doors that close last. */
  const relayed = new Set<string>();
  const leaving = new Set<Acceptor>();
  let compiled: CompiledTable | undefined;
  let routes: Routes = noRoutes;
  let listeners: ReadonlyMap<string, ListenerRoute> = new Map();
  const members = new Map<string, { readonly instance: Instance; readonly service: RoutedService }>();
  const limitersByName = new Map<string, RateLimiter>();
  const shares = new Map<string, Share>();
  const limited = new Map<string, SharedLimit>();
  const capacityGranted = (service: string): number => shares.get(service)?.capacity ?? 0;
  let stopping = false;

  const observe = (instance: Instance, observation: Observation): void => {
    const member = members.get(instance.key);
    const isEjected = member?.service.outliers?.report(instance, observation !== 'answered', clock.monotonic()) === true;
    if (isEjected) {
      log.warn({ instance: instance.key, observation }, 'instance ejected for a while');
      member?.service.backends.find(({ release }) => release === instance.release)?.meter?.ejected();
    }
    if (!judge(instance, observation)) return;
    if (member !== undefined) refreshReady(member.service);
    log.warn({ instance: instance.key, healthy: instance.healthy, observation }, 'instance health changed');
    if (!instance.healthy) onEjected(instance.key);
  };

  const engine = createEngine({
    dispatch: {
      routes: () => routes,
      choose: ({ backends }, tried, assigned) => {
        const now = clock.monotonic();
        return assigned === undefined
          ? chooseInstance(backends, random, tried, now)
          : chooseAssigned(assigned, backends, random, tried, now);
      },
      acquire: (instance) => instances.acquire(instance),
      release: (instance) => instances.release(instance),
      report: observe,
    },
    limits,
    log,
    ...(observer && { observer }),
    clock,
    point: () => random.next(),
    identifier: createIdentifiers(identifiers),
    isStopping: () => stopping,
  });

  const sweep = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(engine.sweepMs, life.signal);
      engine.sweep();
    }
  };
  const tick = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(policyTickMs, life.signal);
      tickPolicies(routes, clock.monotonic());
    }
  };
  const refresh = (): void => {
    for (const front of encrypted.values()) front.refresh();
  };
  // They end only when `life` does, by rejection.
  sweep().catch(() => {});
  tick().catch(() => {});
  certificates.watch(refresh, life.signal).catch(() => {});

  const close = (address: string): Acceptor | undefined => {
    const acceptor = acceptors.get(address);
    acceptors.delete(address);
    relayed.delete(address);
    encrypted.delete(address);
    if (acceptor !== undefined) leaving.add(acceptor);
    acceptor?.close();
    return acceptor;
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

  return {
    open: async (door, socket) => {
      const acceptor = createAcceptor(await frontFor(door), door);
      await acceptor.open(socket);
      acceptors.set(door.address, acceptor);
      if (door.side === 'relayed') relayed.add(door.address);
    },
    reserve: (address, socket) => {
      const acceptor = acceptors.get(address);
      if (acceptor === undefined) socket.close();
      else acceptor.reserve(socket);
    },
    crowd: () => {
      for (const acceptor of acceptors.values()) acceptor.crowd();
    },
    calm: () => acceptors.values().reduce((count, acceptor) => count + acceptor.calm(), 0),
    close: (address) => close(address)?.retire(),
    putInForce: (table, unhealthy) => {
      // What was decided by the table of before leaves before it is replaced, and not when all else of this turn is done.
      try {
        flushDue();
      } catch (error) {
        log.error({ reason: String(error) }, 'a connection could not be written to');
      }
      compiled = compileTable(table, instances, {
        policies,
        meterOf: meters.meterOf,
        ...(compiled && { before: compiled }),
        ...(oneOfMany === true && { granted: capacityGranted }),
      });
      ({ routes } = compiled);
      meters.follow(table.services);
      listeners = listenersOf(table);
      certificates.follow(table);
      refresh();
      for (const service of compiled.gone) {
        for (const index of (service.rateLimiters ?? []).keys()) limitersByName.delete(limitName(service, index));
        for (const { key } of service.instances) members.delete(key);
        limited.delete(nameOf(service));
        limited.delete(queueName(nameOf(service)));
      }
      for (const service of compiled.fresh) {
        for (const [index, { limiter }] of (service.rateLimiters ?? []).entries()) limitersByName.set(limitName(service, index), limiter);
        for (const instance of service.instances) members.set(instance.key, { instance, service });
        const { limiter } = service;
        if (limiter === undefined || oneOfMany !== true) continue;
        limited.set(
          nameOf(service),
          sharedLimit(
            () => limiter.running() + limiter.queued(),
            () => limiter.running(),
          ),
        );
        limited.set(
          queueName(nameOf(service)),
          sharedLimit(
            () => limiter.queued(),
            () => limiter.placed(),
          ),
        );
        limiter.share(capacityGranted(queueName(nameOf(service))));
      }
      // Were it limited again one day, what it had of the limit then would no longer be its.
      for (const name of compiled.gone.map(nameOf)) {
        if (limited.has(name)) continue;
        shares.delete(name);
        shares.delete(queueName(name));
      }
      setHealth(Array.from(unhealthy, (key) => ({ key, healthy: false })));
      engine.pools.settle();
    },
    setHealth,
    takeCounts: (isLast) => meters.snapshot(isLast),
    setShares: (given) => {
      for (const share of given) shares.set(share.service, share);
      const changed = new Set(given.map(({ service }) => service));
      for (const service of routes.services) {
        const name = nameOf(service);
        if (changed.has(name)) refreshReady(service);
        if (changed.has(queueName(name))) service.limiter?.share(capacityGranted(queueName(name)));
      }
    },
    demands: () => {
      const changed: Demand[] = [];
      for (const [service, { told, wanted, used }] of limited) {
        const requests = wanted();
        const share = shares.get(service);
        const settled = share !== undefined && used() <= share.capacity ? share.sequence : undefined;
        if (requests === told.requests && settled === told.settled) continue;
        told.requests = requests;
        told.settled = settled;
        changed.push({ service, requests, ...(settled !== undefined && { settled }) });
      }
      return changed;
    },
    spend: (spent) => {
      for (const { limit, key, tokens } of spent) limitersByName.get(limit)?.spend(key, tokens, clock.monotonic());
    },
    takeSpent: () => spending.collect(),
    report: () => ({
      inFlight: engine.running.size,
      instances: Array.from(instances.all(), ({ key, state, inFlight }) => ({ key, state, inFlight })),
    }),
    drain: async (deadlineMs) => {
      stopping = true;
      for (const address of acceptors.keys()) if (!relayed.has(address)) close(address);
      const begun = clock.monotonic();
      const runsUntil = async (isDone: () => boolean, limitMs: number): Promise<void> => {
        while (!isDone() && clock.monotonic() < begun + limitMs) await clock.sleep(20);
      };
      // Clients of one who relays are still its clients: it ends first.
      await runsUntil(() => relayed.size === 0, deadlineMs);
      for (const address of relayed) close(address);
      // A client that had connected a moment before may be about to send its request: idle connections are not closed at once.
      await runsUntil(() => engine.connectionCount() === 0, Math.min(deadlineMs, firstRequestMs));
      for (const acceptor of leaving) acceptor.retire();
      await runsUntil(() => engine.running.size === 0, deadlineMs);
      if (engine.running.size > 0) log.warn({ left: engine.running.size }, 'drain deadline passed');
      for (const exchange of engine.running) exchange.terminate();
      for (const acceptor of leaving) acceptor.destroy();
      life.abort(new Error('stopped'));
      engine.pools.close();
    },
  };

  async function frontFor(door: Door): Promise<Front> {
    const { side } = door;
    if (side === 'internal') return createFront(engine, { kind: 'internal' });
    const address = side === 'relayed' ? `${door.host}:${door.port}` : door.address;
    const environment = (): string | undefined => listeners.get(address)?.environment;
    const open: Side = { kind: 'public', environment };
    if (side === 'encrypted') return encryptedFront(open, address);
    const answer = (head: RequestHead): Refusal | undefined => {
      const listener = listeners.get(address);
      return listener?.tls === undefined ? undefined : plainAnswer(head, listener, folder);
    };
    return createFront(engine, { ...open, answer });
  }

  async function encryptedFront(side: Side, address: string): Promise<Front> {
    // TLS and HTTP/2 are loaded by who has a use for them.
    const { createEncryptedFront } = await import('../tls/encrypted-front.ts');
    const front = createEncryptedFront({
      engine,
      side,
      certificates: () => certificates.of(listeners.get(address)?.environment ?? ''),
      ticketKeys: () => certificates.ticketKeys(),
    });
    encrypted.set(address, front);
    return front;
  }
}

function queueOf({ environment, name, limiter }: RoutedService): QueueState[] {
  return limiter === undefined ? [] : [{ environment, service: name, running: limiter.running(), queued: limiter.queued() }];
}
