import { type Clock, timestamp } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import type { GatewayReport } from './admin/gateway-report.ts';
import type { DataPlane, PlaneReport, PreparedSwitch } from './data-plane.ts';
import type { Engine } from './engines/engine-choice.ts';
import { createHealthChecks } from './health/checks.ts';
import { createHealthBook } from './health/health-book.ts';
import { probe } from './health/probe.ts';
import type { GatewayLog } from './log.ts';
import type { Measuring } from './measuring/measuring.ts';
import type { GatewayCounts } from './measuring/report.ts';
import type { RoutingTable } from './routing-table.ts';
import type { Snapshot } from './table/snapshot.ts';
import { applyChange, haveSameListeners, isSameTable, sharingServices } from './table/table-change.ts';

/** Decides what a data plane does: which table is in force, and who is healthy. Behind three verbs and a report. */
export interface Gateway {
  /** Opens the internal listener and serves by the last snapshot at once. */
  start(internal: { host: string; port: number }): Promise<{ internalPort: number }>;
  /**
   * Puts a table in force: later requests see all of it, running ones are not touched. Resolves once it is durable. Throws
   * `gateway_table_invalid`, `gateway_table_stale` or `gateway_port_taken`; then everything is as before.
   */
  apply(table: unknown): Promise<void>;
  /** As `apply`, for one who knows the table in force: only what differs is told. Throws `gateway_table_stale` when it is another. */
  amend(change: unknown): Promise<void>;
  /** Of the table in force. */
  tableVersion(): number | undefined;
  /** What happened to requests says that an instance is not to be given any. */
  ejected(key: string): void;
  report(): Promise<GatewayReport>;
  /** What has been counted, by release. */
  counts(): Promise<GatewayCounts>;
  /** The report, for one who has the plane's already. */
  describe(plane: PlaneReport): GatewayReport;
  /** While `act` runs no table is applied; those that come meanwhile wait. When it resolves true, they and all later ones are refused. */
  yieldTo(act: () => Promise<boolean>): Promise<void>;
  /** Accepts nothing new, lets what runs finish, and breaks off what is left at the deadline. */
  drain(deadlineMs: number): Promise<void>;
}

export interface GatewayDependencies {
  readonly plane: DataPlane;
  readonly snapshot: Snapshot;
  readonly clock: Clock;
  /** Spreads the health checks over time. */
  readonly random: Random;
  readonly log: GatewayLog;
  /** What else goes by the table, without serving. */
  readonly measuring: Measuring;
  /** Undefined: this plane serves every table. */
  readonly engines?: EngineChange;
  readonly upkeep?: { follow(table: RoutingTable): void; warnings(): readonly string[]; stop(): void };
}

/** Serving by a table with another engine, which is another process. */
export interface EngineChange {
  readonly engine: Engine;
  /** The engine that is to serve by `next`. */
  choose(next: RoutingTable): Promise<Engine>;
  /** Resolves once another process serves by the last snapshot. Throws `gateway_start_failed`: all is as before. */
  replace(): Promise<void>;
  /** It could not be replaced, and serves on by itself. */
  giveUp(reason: string): void;
  warnings(): readonly string[];
}

/** Loaded once it serves: its last table was checked when it came. */
const tableChecks = (): Promise<typeof import('./table/check-table.ts')> => import('./table/check-table.ts');

export function createGateway(dependencies: GatewayDependencies): Gateway {
  const { plane, snapshot, clock, random, log, measuring, upkeep, engines } = dependencies;
  const startedAt = timestamp(clock.now());
  const warnings: string[] = [];
  const life = new AbortController();
  let table: RoutingTable | undefined;
  let stopping = false;
  let internalUrl = '';
  let queue: Promise<void> = Promise.resolve();

  const book = createHealthBook((change, observation) => {
    log.warn({ instance: change.key, healthy: change.healthy, observation }, 'instance health changed');
    plane.setHealth([change]);
  });
  const checks = createHealthChecks({ clock, random, probe, report: (key, outcome) => book.observe(key, outcome) });

  const putInForce = async (next: RoutingTable, commit: () => Promise<void>): Promise<void> => {
    // Told first: nothing that an instance does can be heard of before this turn ends.
    const committed = commit();
    const instances = book.follow(next);
    await committed;
    table = next;
    if (stopping) return;
    checks.follow(instances);
    measuring.follow(next.services);
    upkeep?.follow(next);
  };

  const applied = async (value: unknown): Promise<RoutingTable> => (await tableChecks()).parseTable(value);

  const amended = async (value: unknown): Promise<RoutingTable> => {
    const { checkTable, parseChange } = await tableChecks();
    const change = parseChange(value);
    const current = table?.version ?? -1;
    if (change.base !== current) throw sluiceError('gateway_table_stale', { offered: change.base, current });
    const next = applyChange(table, change);
    checkTable(next);
    return next;
  };

  const applyOne = async (read: () => Promise<RoutingTable>): Promise<void> => {
    if (stopping) throw sluiceError('gateway_unreachable', { reason: 'it ends, or is being replaced' });
    const next = sharingServices(table, await read());
    const current = table?.version ?? -1;
    if (next.version < current) throw sluiceError('gateway_table_stale', { offered: next.version, current });
    if (next.version === current) {
      if (table !== undefined && isSameTable(table, next)) return;
      throw sluiceError('gateway_table_stale', { offered: next.version, current });
    }
    if (await servedByAnother(next)) return;
    const before = table;
    const prepared = await plane.prepare(next, { tolerateTakenPorts: false });
    const act = before !== undefined && haveSameListeners(before, next) ? serveWhileSaving(before) : serveOnceSaved;
    await act(next, prepared);
    log.info({ version: next.version, services: next.services.length }, 'routing table applied');
  };

  /** A port that is given up is gone: only for a table that is kept. */
  const serveOnceSaved = async (next: RoutingTable, prepared: PreparedSwitch): Promise<void> => {
    try {
      await snapshot.save(next);
    } catch (error) {
      await prepared.discard();
      throw error;
    }
    await putInForce(next, () => prepared.commit());
  };

  /** Nobody waits for the disk but who asked: the table serves while it becomes durable, and is taken back should it not. */
  const serveWhileSaving =
    (before: RoutingTable) =>
    async (next: RoutingTable, prepared: PreparedSwitch): Promise<void> => {
      const committed = putInForce(next, () => prepared.commit());
      const [saved] = await Promise.allSettled([snapshot.save(next), committed]);
      if (saved.status === 'fulfilled') return committed;
      const back = await plane.prepare(before, { tolerateTakenPorts: true });
      await putInForce(before, () => back.commit());
      throw saved.reason;
    };

  /** True when another engine had to serve by the table, and does. */
  const servedByAnother = async (next: RoutingTable): Promise<boolean> => {
    if (engines === undefined) return false;
    const wanted = await engines.choose(next);
    if (wanted === engines.engine) return false;
    log.info({ version: next.version, from: engines.engine, to: wanted }, 'another engine is to serve');
    await snapshot.save(next);
    try {
      await engines.replace();
    } catch (error) {
      log.error({ reason: String(error) }, 'another engine could not take over');
      if (table !== undefined) await snapshot.save(table);
      // What HAProxy cannot be started for, this process serves; the other way round nobody could.
      if (engines.engine !== 'embedded') throw error;
      engines.giveUp(toSluiceError(error).message);
      await engines.choose(next);
      return false;
    }
    table = next;
    stopping = true;
    return true;
  };

  const restore = async (): Promise<void> => {
    const { table: last, damaged } = await snapshot.load();
    if (damaged) {
      warnings.push(`the last routing table was damaged (${damaged.reason}) and is kept as ${damaged.setAside}`);
      log.error(damaged, 'snapshot set aside');
    }
    if (last === undefined) return;
    const prepared = await plane.prepare(last, { tolerateTakenPorts: true });
    await putInForce(last, () => prepared.commit());
  };

  const describe = (serving: PlaneReport): GatewayReport => {
    book.forget(new Set(serving.instances.map(({ key }) => key)));
    return {
      pid: process.pid,
      startedAt,
      ...(table && { tableVersion: table.version }),
      stopping,
      ...(engines && { engine: engines.engine }),
      warnings: [...warnings, ...(engines?.warnings() ?? []), ...(upkeep?.warnings() ?? [])],
      internalUrl,
      listeners: [...serving.listeners],
      inFlight: serving.inFlight,
      instances: serving.instances.flatMap(({ key, state, inFlight }) => {
        const known = book.of(key);
        if (known === undefined) return [];
        const { environment, service, release, id, healthy } = known;
        return [{ environment, service, release, id, state, healthy, inFlight }];
      }),
    };
  };

  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const done = queue.then(act);
    queue = done.catch(() => {});
    return done;
  };

  return {
    start: async ({ host, port }) => {
      const { internalPort } = await plane.start({ host, port });
      internalUrl = `http://${host}:${internalPort}`;
      await restore();
      // Ends only when `life` does, by rejection.
      measuring.run(life.signal).catch(() => {});
      tableChecks().catch(() => {});
      return { internalPort };
    },
    apply: (value) => inTurn(() => applyOne(() => applied(value))),
    amend: (value) => inTurn(() => applyOne(() => amended(value))),
    yieldTo: (act) =>
      inTurn(async () => {
        if (await act()) stopping = true;
      }),
    tableVersion: () => table?.version,
    ejected: (key) => book.observe(key, 'unreachable'),
    counts: () => measuring.report(),
    report: async () => describe(await plane.report()),
    describe,
    drain: async (deadlineMs) => {
      stopping = true;
      checks.stop();
      upkeep?.stop();
      await plane.drain(deadlineMs);
      life.abort(new Error('stopped'));
    },
  };
}
