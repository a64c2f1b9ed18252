import { hash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Clock } from '../../effects/clock.ts';
import { writeDurably } from '../../effects/files.ts';
import { identify } from '../../effects/processes.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { DataPlane, InstanceLoad } from '../data-plane.ts';
import { defaultLimits, type Limits } from '../http/limits.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { GatewayLog } from '../log.ts';
import type { RoutingTable } from '../routing-table.ts';
import { type Generation, type OpenBind, startGeneration } from './generation.ts';
import { type HaproxyRecord, openHaproxyFolder } from './haproxy-folder.ts';
import { createListeners } from './listeners.ts';
import { createPredecessor } from './predecessor.ts';
import { type HeldSocket, heldSocket } from './process/held-socket.ts';
import { covers, desiredState, instanceKeyOf, slotOwners } from './state/desired-state.ts';
import type { PlaneState } from './state/plane-state.ts';
import { createSlotPool } from './state/slot-pool.ts';
import { unsupportedByHaproxy } from './unsupported.ts';

export interface HaproxyPlaneDependencies {
  /** Absolute path of the program, as `findHaproxy` gives it. */
  readonly binary: string;
  /** Folder for its configuration, sockets and log; of this plane alone. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: GatewayLog;
  readonly limits?: Partial<Limits>;
  /** Sockets by `host:port` that the process before this one handed over, bound and held. */
  readonly inherited?: ReadonlyMap<string, BoundSocket>;
  /** Threads of HAProxy; undefined: as many as there are cores. */
  readonly threads?: number;
}

export interface HaproxyPlane extends DataPlane {
  /** The sockets it holds, by `host:port`; a successor may be given them. */
  sockets(): ReadonlyMap<string, BoundSocket>;
}

const upkeepMs = 250;
/** How long a drain waits for the request of a connection that has none. */
const firstRequestMs = 500;
const emptyTable: RoutingTable = { version: -1, listeners: [], services: [] };

/**
 * The data plane by HAProxy 2.6 or later. Routes, weights and instances change while it runs, by its runtime socket. What its configuration alone
 * can say (a listener, a new limit, more slots) takes another process, which serves before the one before it stops accepting; that one is kept
 * up to date until its last connection has ended. Listening sockets belong to this process, so a HAProxy that dies refuses nobody.
 */
export async function createHaproxyPlane(dependencies: HaproxyPlaneDependencies): Promise<HaproxyPlane> {
  const { clock, log, binary, threads } = dependencies;
  const limits = { ...defaultLimits, ...dependencies.limits };
  const folder = await openHaproxyFolder(dependencies.folder);
  const predecessor = await createPredecessor(folder.record, clock);
  const listeners = createListeners((host, port) => predecessor.has(host, port), heldOf(dependencies.inherited));
  const pool = createSlotPool();
  const life = new AbortController();
  const unhealthy = new Set<string>();
  /** The last one is current; those before it stop as soon as they are idle. */
  let generations: Generation[] = [];
  let table = emptyTable;
  let state = stateOf(emptyTable, []);
  let isStopping = false;
  let queue: Promise<unknown> = Promise.resolve();

  function stateOf(of: RoutingTable, binds: readonly OpenBind[]): PlaneState {
    return desiredState(of, {
      pool,
      binds,
      serverName: (_slot, instance) => `i${hash('sha256', instance, 'hex').slice(0, 16)}`,
      isHealthy: (instance) => !unhealthy.has(instance),
    });
  }

  const inTurn = <Value>(act: () => Promise<Value>): Promise<Value> => {
    const done = queue.then(act);
    queue = done.catch(() => {});
    return done;
  };

  const start = async (binds: readonly OpenBind[], initial: PlaneState): Promise<Generation> => {
    const name = `haproxy-${process.pid}-${Math.floor(clock.now())}-${generationCount()}`;
    const generation = await startGeneration({
      binary,
      folder,
      limits,
      clock,
      threads,
      name,
      binds,
      state: initial,
    });
    generation.process.exit.then(() => ended(generation), String);
    return generation;
  };

  let started = 0;
  const generationCount = (): number => {
    started += 1;
    return started;
  };

  /** Work on files that nobody waits for but the end. */
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
    finish(folder.remove(generation.name));
    if (!wasCurrent || isStopping) return;
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
    const content: HaproxyRecord = {
      pid: generation.process.pid,
      startTime,
      generation: generation.name,
      socket: generation.socket,
      binds,
    };
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

  const upkeep = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(upkeepMs, life.signal);
      await inTurn(async () => {
        for (const generation of generations) {
          await generation.reap(state).catch(() => {});
          if (generation !== generations.at(-1)) await generation.endWhenIdle().catch(() => {});
        }
        const occupied = new Set(generations.flatMap((generation) => [...generation.slotsInUse()]));
        pool.release(slotOwners(table), (slot) => occupied.has(slot));
        if (listeners.missing() > 0) await openMissing();
        await folder.limitLog();
      });
    }
  };

  const openMissing = async (): Promise<void> => {
    const prepared = listeners.prepare(table.listeners, true);
    if (prepared.hasChanged) {
      state = stateOf(table, prepared.binds);
      const generation = await start(prepared.binds, state);
      prepared.commit();
      await becomeCurrent(generation);
    } else prepared.commit();
  };

  const isOnRecord = async (own: readonly Generation[]): Promise<boolean> => {
    const recorded = await createPredecessor(folder.record, clock);
    return own.some(({ process: { pid } }) => recorded.is(pid));
  };

  return {
    start: (internal) =>
      inTurn(async () => {
        await predecessor.makeRoom(internal.host, internal.port);
        const bind = listeners.openInternal(internal.host, internal.port);
        state = stateOf(emptyTable, [bind]);
        // One that goes on from before serves by its last table until there is one to serve by here.
        if (!predecessor.has(bind.host, bind.port)) await becomeCurrent(await start([bind], state));
        // Ends only when `life` does, by rejection.
        upkeep().catch(() => {});
        return { internalPort: bind.port };
      }),
    prepare: (next, { tolerateTakenPorts }) =>
      inTurn(async () => {
        const reasons = unsupportedByHaproxy(next);
        if (reasons.length > 0) throw sluiceError('gateway_engine_unsupported', { reason: reasons.join('; ') });
        const prepared = listeners.prepare(next.listeners, tolerateTakenPorts);
        const nextState = stateOf(next, prepared.binds);
        const current = generations.at(-1);
        let generation: Generation | undefined;
        if (current === undefined || prepared.hasChanged || !covers(current.shape, nextState.shape)) {
          try {
            // Without a table from before nobody may be answered by none: a socket that was inherited has clients already.
            const isFirst = current === undefined || table === emptyTable;
            const initial = isFirst ? nextState : { ...stateOf(table, prepared.binds), shape: nextState.shape };
            generation = await start(prepared.binds, initial);
          } catch (error) {
            prepared.discard();
            throw error;
          }
        }
        return {
          commit: () =>
            inTurn(async () => {
              prepared.commit();
              table = next;
              state = stateOf(next, listeners.binds());
              if (generation) await becomeCurrent(generation);
              await applyAll();
            }),
          discard: async () => {
            prepared.discard();
            generation?.process.signal('SIGTERM');
            await generation?.process.exit;
          },
        };
      }),
    setHealth: (changes) => {
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
      return {
        inFlight: instances.reduce((sum, instance) => sum + instance.inFlight, 0),
        instances,
        listeners: listeners.states(),
      };
    },
    sockets: () => new Map(Array.from(listeners.sockets(), ([address, { handle }]) => [address, handle])),
    drain: async (deadlineMs) => {
      isStopping = true;
      life.abort(new Error('stopped'));
      await queue;
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
      await whileAny((generation) => generation.isConnected(), Math.min(deadline, clock.monotonic() + firstRequestMs));
      await whileAny((generation) => generation.isBusy(), deadline);
      await Promise.all(all.map((generation) => generation.end()));
      await predecessor.end(Math.max(0, deadline - clock.monotonic()));
      await Promise.all(unfinished);
      // A successor may have put its own there.
      if (await isOnRecord(all)) await rm(folder.record, { force: true });
    },
  };
}

function heldOf(given: ReadonlyMap<string, BoundSocket> = new Map()): ReadonlyMap<string, HeldSocket> {
  return new Map(
    Array.from(given, ([address, socket]) => [address, heldSocket(socket, Number(address.slice(address.lastIndexOf(':') + 1)))]),
  );
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
