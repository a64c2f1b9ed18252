import { hash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Clock } from '../../effects/clock.ts';
import { writeDurably } from '../../effects/files.ts';
import { identify } from '../../effects/processes.ts';
import type { DataPlane, InstanceLoad, ListenerState } from '../data-plane.ts';
import { defaultLimits, type Limits } from '../http/limits.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import { publicAddresses } from '../listening/public-address.ts';
import type { GatewayLog } from '../log.ts';
import type { WorkerCounts } from '../measuring/meters.ts';
import type { RoutingTable } from '../routing-table.ts';
import type { Crew } from '../worker/crew.ts';
import { createEmbeddedPlane } from '../worker/embedded-plane.ts';
import { mergeReports } from '../worker/merge-reports.ts';
import type { Predecessors } from '../worker/predecessors.ts';
import type { AccessLog } from '../measuring/access-log.ts';
import { createFrontCounts } from './front-counts.ts';
import { type Generation, type OpenBind, startGeneration } from './generation.ts';
import { type HaproxyRecord, openHaproxyFolder } from './haproxy-folder.ts';
import { createListeners } from './listeners.ts';
import { createFrontLog } from './log/front-log.ts';
import { logSampling } from './log/sampling.ts';
import { awaitRoom, createPredecessor } from './predecessor.ts';
import { createRelays } from './relays.ts';
import { covers, desiredState, instanceKeyOf, slotOwners } from './state/desired-state.ts';
import type { PlaneState } from './state/plane-state.ts';
import { createSlotPool } from './state/slot-pool.ts';

export interface HaproxyPlaneDependencies {
  /** Absolute path of the program, as `findHaproxy` gives it. */
  readonly binary: string;
  /** Folder for its configuration, sockets and log; of this plane alone. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: GatewayLog;
  /** The embedded engine behind it. */
  readonly crew: Crew;
  readonly predecessors?: Predecessors;
  readonly limits?: Partial<Limits>;
  /** Sockets by `host:port` that the process before this one handed over, bound and held. */
  readonly inherited?: ReadonlyMap<string, BoundSocket>;
  /** Threads of HAProxy; undefined: as many as there are cores. */
  readonly threads?: number;
  /** Of what HAProxy answers by itself; closed with the plane. */
  readonly accessLog?: AccessLog | undefined;
  /** Only the engine behind exports spans: every request is passed on to it. */
  readonly isTraced?: boolean;
}

export interface HaproxyPlane extends DataPlane {
  /** The sockets it holds, by `host:port`; a successor may be given them. */
  sockets(): ReadonlyMap<string, BoundSocket>;
  /** What HAProxy answered by itself, by release. */
  counts(): Promise<WorkerCounts>;
}

const upkeepMs = 250;
/**
 * How long a drain waits for the request of a connection that has none: a client that keeps it open learns only with its next answer that it is
 * closed. A drain that has minutes has seconds for that.
 */
const idleMs = (deadlineMs: number): number => Math.min(deadlineMs, Math.max(500, Math.min(5_000, deadlineMs / 60)));
const emptyTable: RoutingTable = { version: -1, listeners: [], services: [] };

/**
 * The data plane by HAProxy 2.6 or later, with the embedded engine behind it. HAProxy accepts at the plain public listeners, and answers by
 * itself the ordinary requests of services that ask for nothing else (`fastRelease`). All other requests it passes on, over a unix socket that
 * nobody else can reach, to the embedded engine, which serves by the same table and also accepts at the encrypted and the internal listeners.
 * Routes, weights and instances change while HAProxy runs, by its runtime socket; a service goes from one way to the other by one of these
 * changes. A listener, or more slots, takes another process, which serves before the one before it stops accepting; that one is kept up to
 * date until its last connection has ended. Listening sockets belong to this process, so a HAProxy that dies refuses nobody.
 */
export async function createHaproxyPlane(dependencies: HaproxyPlaneDependencies): Promise<HaproxyPlane> {
  const { clock, log, binary, threads, crew, predecessors, accessLog, isTraced, inherited = new Map() } = dependencies;
  const limits = { ...defaultLimits, ...dependencies.limits };
  const folder = await openHaproxyFolder(dependencies.folder);
  const predecessor = await createPredecessor(folder.record, clock);
  const embedded = createEmbeddedPlane({
    crew,
    clock,
    inherited,
    ...(predecessors && { predecessors }),
    isFronted: ({ isEncrypted }) => !isEncrypted,
  });
  const listeners = createListeners({
    crew,
    makeRoom: (host, port) => predecessor.makeRoom(host, port),
    stopAccepting: () => stopAccepting(),
    awaitRoom: (host, port) => awaitRoom(host, port, clock),
    serveAgain: async () => {
      state = stateOf(table, listeners.binds());
      await revive();
    },
    inherited,
    relayOf: (name) => folder.relay(name),
  });
  const relays = createRelays(crew);
  const counted = createFrontCounts(() => clock.monotonic());
  const pool = createSlotPool();
  const life = new AbortController();
  const unhealthy = new Set<string>();
  const span = randomBytes(8).toString('hex');
  const told = logSampling(accessLog?.sampleRate ?? 0);
  const onTold = createFrontLog({ sampling: told, counts: counted, accessLog, span });
  /** By process. */
  const lostLines = new Map<string, number>();
  /** The last one is current; those before it stop as soon as they are idle. None as long as there is no listener. */
  let generations: Generation[] = [];
  /** Told to accept no more before another one is current. */
  const stopped = new WeakSet<Generation>();
  let table = emptyTable;
  let state = stateOf(emptyTable, []);
  /** Of a table that is prepared and not in force. */
  let pending: readonly OpenBind[] = [];
  let isStopping = false;
  let queue: Promise<unknown> = Promise.resolve();

  function stateOf(of: RoutingTable, binds: readonly OpenBind[]): PlaneState {
    return desiredState(of, {
      pool,
      binds,
      serverName: (instance) => `i${hash('sha256', instance, 'hex').slice(0, 16)}`,
      isHealthy: (instance) => !unhealthy.has(instance),
      ...(isTraced !== undefined && { isAllRelayed: isTraced }),
    });
  }

  const inTurn = <Value>(act: () => Promise<Value>): Promise<Value> => {
    const done = queue.then(act);
    queue = done.catch(() => {});
    return done;
  };

  let started = 0;
  const start = async (binds: readonly OpenBind[], initial: PlaneState): Promise<Generation> => {
    started += 1;
    const name = `haproxy-${process.pid}-${Math.floor(clock.now())}-${started}`;
    await relays.open(binds);
    const generation = await startGeneration({ binary, folder, limits, clock, threads, name, binds, state: initial, span, told, onTold });
    generation.process.exit.then(() => ended(generation), String);
    return generation;
  };

  /** Work that nobody waits for but the end. */
  const unfinished = new Set<Promise<unknown>>();
  const finish = (work: Promise<unknown>): void => {
    const done = work
      .catch((error: unknown) => log.warn({ reason: String(error) }, 'a file of haproxy could not be written or removed'))
      .finally(() => unfinished.delete(done));
    unfinished.add(done);
  };

  const ended = (generation: Generation): void => {
    const wasCurrent = generations.at(-1) === generation;
    generations = generations.filter((each) => each !== generation);
    lostLines.delete(generation.name);
    finish(folder.remove(generation.name));
    if (!wasCurrent || stopped.has(generation) || isStopping || listeners.binds().length === 0) return;
    log.error({ pid: generation.process.pid }, 'haproxy ended by itself; it is started again');
    inTurn(revive).catch((error: unknown) => log.error({ reason: String(error) }, 'haproxy could not be started again'));
  };

  const revive = async (): Promise<void> => {
    for (let pause = 10; !life.signal.aborted; pause = Math.min(2_000, pause * 2)) {
      try {
        await becomeCurrent(await start(listeners.binds(), state));
        return;
      } catch (error) {
        log.error({ reason: String(error) }, 'haproxy did not start');
        await clock.sleep(pause, life.signal);
      }
    }
  };

  const becomeCurrent = async (generation: Generation): Promise<void> => {
    const before = generations.at(-1);
    generations.push(generation);
    before?.process.signal('SIGUSR1');
    predecessor.retire();
    await record(generation).catch((error: unknown) => log.warn({ reason: String(error) }, 'haproxy could not be recorded'));
  };

  const record = async (generation: Generation): Promise<void> => {
    const startTime = identify(generation.process.pid)?.startTime;
    if (startTime === undefined) return;
    const binds = listeners.binds().map(({ host, port }) => ({ host, port }));
    const { name, socket } = generation;
    const content: HaproxyRecord = { pid: generation.process.pid, startTime, generation: name, socket, binds };
    await writeDurably(folder.record, JSON.stringify(content));
  };

  /** A process that cannot be brought to the state is replaced by one that is started with it. */
  const applyAll = async (): Promise<void> => {
    const outcomes = await Promise.allSettled(generations.map((generation) => generation.apply(state)));
    const failed = outcomes.at(-1);
    if (failed?.status !== 'rejected' || generations.at(-1)?.process.hasExited() !== false) return;
    log.error({ reason: String(failed.reason) }, 'haproxy refused a change; it is replaced');
    await becomeCurrent(await start(listeners.binds(), state));
  };

  const observe = async (generation: Generation): Promise<void> => {
    counted.observe(generation.name, await generation.stats().catch(() => []));
    const lost = await generation.lostLines().catch(() => 0);
    const before = lostLines.get(generation.name) ?? 0;
    lostLines.set(generation.name, Math.max(lost, before));
    if (lost > before) accessLog?.lost(lost - before);
  };

  const upkeep = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(upkeepMs, life.signal);
      await inTurn(async () => {
        for (const generation of generations) {
          // With a server its counters go too.
          if (generation.hasLeftovers(state)) await observe(generation);
          await generation.reap(state).catch(() => {});
          if (generation === generations.at(-1)) continue;
          await observe(generation);
          await generation.endWhenIdle().catch(() => {});
        }
        const occupied = new Set(generations.flatMap((generation) => [...generation.slotsInUse()]));
        pool.release(slotOwners(table), (slot) => occupied.has(slot));
        await relays.keep([...pending, ...listeners.binds(), ...generations.flatMap(({ binds }) => binds)]);
        if (listeners.missing() > 0) await openMissing();
        await folder.limitLog();
      });
    }
  };

  const openMissing = async (): Promise<void> => {
    const prepared = await listeners.prepare(table.listeners, true);
    if (prepared.hasChanged) {
      state = stateOf(table, prepared.binds);
      const generation = await start(prepared.binds, state);
      await prepared.commit();
      await becomeCurrent(generation);
    } else await prepared.commit();
  };

  let inForceBehind: { commit(): Promise<void> } | undefined;
  /** Has the engine behind serve by a table it was prepared for; once. */
  const putBehind = async (prepared: { commit(): Promise<void> }): Promise<void> => {
    if (inForceBehind === prepared) return;
    inForceBehind = prepared;
    await prepared.commit();
  };

  /** For a port that is wanted at another address. Who comes to the other ports meanwhile waits. */
  const stopAccepting = (): void => {
    const current = generations.at(-1);
    if (current === undefined) return;
    stopped.add(current);
    current.process.signal('SIGUSR1');
  };

  /** Without a listener left nobody accepts. */
  const endCurrent = (): void => {
    generations.at(-1)?.process.signal('SIGUSR1');
    predecessor.retire();
  };

  const isOnRecord = async (own: readonly Generation[]): Promise<boolean> => {
    const recorded = await createPredecessor(folder.record, clock);
    return own.some(({ process: { pid } }) => recorded.is(pid));
  };

  const listenerStates = (): readonly ListenerState[] => {
    const found = [...listeners.states(), ...embedded.listeners()];
    const order = table.listeners.flatMap(publicAddresses).map(({ host, port }) => `${host}:${port}`);
    return found.toSorted((one, other) => order.indexOf(`${one.host}:${one.port}`) - order.indexOf(`${other.host}:${other.port}`));
  };

  return {
    start: async (internal) => {
      const { internalPort } = await embedded.start(internal);
      // Ends only when `life` does, by rejection.
      upkeep().catch(() => {});
      return { internalPort };
    },
    prepare: (next, options) =>
      inTurn(async () => {
        const prepared = await listeners.prepare(next.listeners, options.tolerateTakenPorts);
        pending = prepared.binds;
        let behind: Awaited<ReturnType<typeof embedded.prepare>> | undefined;
        let generation: Generation | undefined;
        try {
          behind = await embedded.prepare(next, options);
          const nextState = stateOf(next, prepared.binds);
          const current = generations.at(-1);
          // Without a table from before nobody may be answered by none: a socket that was inherited has clients already.
          const isFirst = current === undefined;
          if (prepared.binds.length > 0 && (isFirst || prepared.hasChanged || !covers(current.initial, nextState))) {
            if (isFirst) await putBehind(behind);
            const initial = isFirst ? nextState : { ...stateOf(table, prepared.binds), names: nextState.names };
            generation = await start(prepared.binds, initial);
          }
        } catch (error) {
          pending = [];
          await behind?.discard();
          await prepared.discard();
          throw error;
        }
        const ready = behind;
        return {
          commit: () =>
            inTurn(async () => {
              await putBehind(ready);
              await prepared.commit();
              pending = [];
              table = next;
              counted.follow(next);
              state = stateOf(next, listeners.binds());
              if (generation) await becomeCurrent(generation);
              else if (prepared.binds.length === 0) endCurrent();
              await applyAll();
            }),
          discard: async () => {
            pending = [];
            generation?.process.signal('SIGTERM');
            await generation?.process.exit;
            await ready.discard();
            await inTurn(() => prepared.discard());
          },
        };
      }),
    setHealth: (changes) => {
      embedded.setHealth(changes);
      for (const { key, healthy } of changes) {
        if (healthy) unhealthy.delete(key);
        else unhealthy.add(key);
      }
      inTurn(async () => {
        state = stateOf(table, listeners.binds());
        await applyAll();
      }).catch((error: unknown) => log.error({ reason: String(error) }, 'health could not be told to haproxy'));
    },
    report: async () => {
      const inFlight = new Map<string, number>();
      for (const generation of generations) {
        const rows = await generation.stats().catch(() => []);
        for (const row of rows) inFlight.set(row.instance, (inFlight.get(row.instance) ?? 0) + row.inFlight + row.queued);
      }
      const instances = loadsOf(table, inFlight);
      const own = { inFlight: instances.reduce((sum, instance) => sum + instance.inFlight, 0), instances };
      return { ...mergeReports([own, await embedded.report()]), listeners: listenerStates() };
    },
    counts: async () => {
      for (const generation of generations) await observe(generation);
      return counted.counts();
    },
    sockets: () => new Map([...embedded.sockets(), ...listeners.sockets()]),
    drain: async (deadlineMs) => {
      isStopping = true;
      life.abort(new Error('stopped'));
      await queue;
      // The engine behind goes on for as long as there are relays, and says meanwhile that it leaves.
      const behind = embedded.drain(deadlineMs);
      listeners.close();
      const all = [...generations];
      for (const generation of all) generation.process.signal('SIGUSR1');
      const deadline = clock.monotonic() + deadlineMs;
      const whileAny = async (isSo: (generation: Generation) => Promise<boolean>, until: number): Promise<void> => {
        while (clock.monotonic() < until) {
          const found = await Promise.all(all.map((generation) => isSo(generation).catch(() => false)));
          if (!found.includes(true)) break;
          await clock.sleep(10);
        }
      };
      // A client that had connected a moment before may be about to send its request.
      await whileAny((generation) => generation.isConnected(), clock.monotonic() + idleMs(deadlineMs));
      await whileAny((generation) => generation.isBusy(), deadline);
      await Promise.all(all.map((generation) => generation.end()));
      await predecessor.end(Math.max(0, deadline - clock.monotonic()));
      await relays.keep([]);
      await behind;
      await Promise.all(unfinished);
      await accessLog?.close();
      await folder.close();
      // A successor may have put its own there.
      if (await isOnRecord(all)) await rm(folder.record, { force: true });
    },
  };
}

/** Every instance of the table, and those no longer in it that still have work. */
function loadsOf(table: RoutingTable, inFlight: ReadonlyMap<string, number>): readonly InstanceLoad[] {
  const loads = new Map<string, InstanceLoad>();
  for (const service of table.services) {
    for (const instance of service.backends.flatMap((backend) => backend.instances)) {
      const key = instanceKeyOf(service, instance);
      loads.set(key, { key, state: instance.state, inFlight: inFlight.get(key) ?? 0 });
    }
  }
  for (const [key, count] of inFlight) if (count > 0 && !loads.has(key)) loads.set(key, { key, state: 'removed', inFlight: count });
  return [...loads.values()];
}
