import type { Clock } from '../../effects/clock.ts';
import type { ProcessIdentity } from '../../effects/processes.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { InstanceHealth } from '../data-plane.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { GatewayLog } from '../log.ts';
import type { RoutingTable } from '../routing-table.ts';
import { changeOf } from '../table/table-change.ts';
import type { Crew } from './crew.ts';
import type { Door } from './door.ts';
import { mergeReports, silentReport } from './merge-reports.ts';
import type { Notice, Order } from './messages.ts';
import { createPermits } from './permits.ts';
import type { ServingReport } from './serving.ts';
import type { Answer, WorkerLink } from './worker-link.ts';

type WorkerNotice = Exclude<Notice, { kind: 'answer' | 'failed' }>;

export interface WorkerPoolDependencies {
  /** How many serve at a time. */
  readonly count: number;
  /** `elders`: the workers there are. */
  readonly spawn: (elders: readonly ProcessIdentity[], onNotice: (notice: WorkerNotice) => void) => WorkerLink;
  readonly clock: Clock;
  readonly log: GatewayLog;
  readonly onEjected: (key: string) => void;
  /** A worker is gone for good. */
  readonly onEnded?: (identity: ProcessIdentity) => void;
  /** How often workers are asked whether they are there. One that has missed this many is replaced. */
  readonly pulse: { readonly intervalMs: number; readonly missed: number };
}

export interface WorkerPool extends Crew {
  /** Starts the workers without waiting for them, with the table they will need first, if that is known: all else is done meanwhile. */
  warm(first: RoutingTable | undefined): void;
  /** What all workers that answer have collected under this name. */
  collect(what: string): Promise<readonly unknown[]>;
  pids(): readonly number[];
  /** From now on workers, those to come too, outlive this process. */
  establish(): void;
  /** Ends all at once. */
  kill(): void;
}

interface Worker {
  readonly link: WorkerLink;
  readonly since: number;
  /** It has the newest table and is being given the sockets: from now on a switch waits for it. */
  isUp: boolean;
  last: ServingReport;
  unanswered: number;
}

/** Having lived this long, a worker is replaced at once and not with the backoff of a crash loop. */
const soundLifeMs = 5_000;
const shortestBackoffMs = 50;
const longestBackoffMs = 5_000;
/** The first worker must come up within so many tries, or the gateway has not started. */
const firstTries = 3;
/** What an order may take before the worker counts as hanging, and what coming up may. */
const orderMs = 5_000;
const startMs = 20_000;
const reportMs = 1_000;
/** Connections a worker accepts at one door in a turn of its event loop while that takes long. */
const handlesPerDoor = 16;

/**
 * Worker processes that are kept at their number. Each is told, before it is given a socket, what all others were told; a dead one costs
 * what it was working on and nothing else, since the sockets are held by this process.
 */
export function createWorkerPool({ count, spawn, clock, log, onEjected, onEnded, pulse }: WorkerPoolDependencies): WorkerPool {
  const workers = new Set<Worker>();
  const doors = new Map<string, { readonly door: Door; readonly socket: BoundSocket }>();
  const held = new Map<string, BoundSocket>();
  const unhealthy = new Set<string>();
  const life = new AbortController();
  let table: RoutingTable | undefined;
  let backoffMs = 0;
  let isDraining = false;
  let isEstablished = false;

  const permits = createPermits(unhealthy, (pid, shares) => {
    const worker = workers.values().find(({ link }) => link.identity.pid === pid);
    worker?.link.ask({ kind: 'shares', shares }).catch(() => {});
  });

  const onNotice = (pid: number, notice: WorkerNotice): void => {
    if (notice.kind === 'demand') permits.demand(pid, notice.demands);
    else if (notice.kind === 'spent') tellOthers(pid, { kind: 'spent', spent: notice.spent });
    else if (notice.kind === 'ejected') onEjected(notice.key);
    else if (notice.kind === 'calm')
      workers
        .values()
        .filter(({ link }) => link.identity.pid === pid)
        .forEach(supply);
    else if (notice.kind === 'log') log[notice.level](notice.fields, notice.message);
  };

  const tellOthers = (pid: number, order: Order): void => {
    for (const { link } of workers) if (link.identity.pid !== pid) link.ask(order).catch(() => {});
  };

  /** An answer within a limit: a worker that takes longer is killed, and then has answered `gone`. */
  const insist = async (worker: Worker, order: Order, socket?: BoundSocket): Promise<Answer> => {
    const done = new AbortController();
    const answered = worker.link.ask(order, socket);
    const limit = clock.sleep(worker.isUp ? orderMs : startMs, done.signal).then(
      () => {
        log.error({ worker: worker.link.identity.pid, order: order.kind }, 'worker does not answer; it is ended');
        worker.link.kill();
      },
      () => {},
    );
    const answer = await answered;
    done.abort(new Error('answered'));
    await limit;
    if (answer.outcome === 'failed') {
      log.error({ worker: worker.link.identity.pid, order: order.kind, reason: answer.reason }, 'worker failed; it is ended');
      worker.link.kill();
    }
    return answer;
  };

  const all = async (order: Order): Promise<void> => {
    const answers: Promise<Answer>[] = [];
    for (const worker of workers) {
      if (worker.isUp) answers.push(insist(worker, order));
      // It has no socket yet, and orders reach it in their order: nobody need wait for it.
      else worker.link.ask(order).catch(() => {});
    }
    await Promise.all(answers);
  };

  const hire = (): Worker => {
    const elders = Array.from(workers, ({ link }) => link.identity);
    const last = { inFlight: 0, instances: [] };
    const worker: Worker = {
      link: spawn(elders, (notice) => onNotice(worker.link.identity.pid, notice)),
      since: clock.monotonic(),
      isUp: false,
      last,
      unanswered: 0,
    };
    workers.add(worker);
    permits.join(worker.link.identity.pid);
    worker.link.gone.then(() => replace(worker)).catch(() => {});
    bringUp(worker).catch(() => {});
    return worker;
  };

  const bringUp = async (worker: Worker): Promise<void> => {
    const tell = (order: Order, socket?: BoundSocket): Promise<Answer> => worker.link.ask(order, socket);
    if (table !== undefined) tell({ kind: 'table', change: changeOf(undefined, table), unhealthy: [...unhealthy] }).catch(() => {});
    const answer = await insist(worker, { kind: 'ping' });
    if (answer.outcome !== 'answered') return;
    if (isEstablished) tell({ kind: 'outlive' }).catch(() => {});
    worker.isUp = true;
    worker.unanswered = 0;
    for (const [address, socket] of held) tell({ kind: 'hold', address }, socket).catch(() => {});
    await Promise.all(Array.from(doors.values(), ({ door, socket }) => insist(worker, { kind: 'open', door }, socket)));
    supply(worker);
  };

  const supply = (worker: Worker): void => {
    for (const { door, socket } of doors.values()) reserve(worker, door.address, socket).catch(() => {});
  };

  /** One handle after the other: orders that come meanwhile need not wait for all of them. */
  const reserve = async ({ link }: Worker, address: string, socket: BoundSocket): Promise<void> => {
    for (let handles = 1; handles < handlesPerDoor; handles += 1) {
      if (doors.get(address)?.socket !== socket) return;
      const answer = await link.ask({ kind: 'reserve', address }, socket);
      if (answer.outcome !== 'answered') return;
    }
  };

  const replace = async (dead: Worker): Promise<void> => {
    workers.delete(dead);
    onEnded?.(dead.link.identity);
    permits.leave(dead.link.identity.pid);
    if (isDraining) return;
    const lived = clock.monotonic() - dead.since;
    backoffMs = lived > soundLifeMs ? 0 : Math.min(Math.max(shortestBackoffMs, backoffMs * 2), longestBackoffMs);
    log.error({ worker: dead.link.identity.pid, livedMs: Math.round(lived), backoffMs }, 'worker ended; it is replaced');
    if (backoffMs > 0) await clock.sleep(backoffMs, life.signal);
    if (workers.size < count) hire();
  };

  const watchPulse = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(pulse.intervalMs, life.signal);
      for (const worker of workers) {
        // Counted in rounds and not in time: when this process itself was stopped, one round has passed.
        if (worker.isUp && worker.unanswered >= pulse.missed) {
          log.error({ worker: worker.link.identity.pid }, 'worker has ceased to answer; it is ended');
          worker.link.kill();
        }
        worker.unanswered += 1;
        if (worker.unanswered === 1) heartbeat(worker).catch(() => {});
      }
    }
  };

  const heartbeat = async (worker: Worker): Promise<void> => {
    const answer = await worker.link.ask({ kind: 'collect', what: 'report' });
    if (answer.outcome !== 'answered') return;
    worker.unanswered = 0;
    worker.last = answer.value as ServingReport;
  };

  const reportOf = async (worker: Worker): Promise<ServingReport> => {
    const done = new AbortController();
    const late = clock.sleep(reportMs, done.signal).then(
      () => silentReport(worker.last),
      () => worker.last,
    );
    const answer = await Promise.race([worker.link.ask({ kind: 'collect', what: 'report' }), late]);
    done.abort(new Error('answered'));
    if (!('outcome' in answer)) return answer;
    if (answer.outcome !== 'answered') return { inFlight: 0, instances: [] };
    worker.last = answer.value as ServingReport;
    return worker.last;
  };

  return {
    establish: () => {
      isEstablished = true;
      all({ kind: 'outlive' }).catch(() => {});
    },
    kill: () => {
      isDraining = true;
      life.abort(new Error('ended'));
      for (const { link } of workers) link.kill();
    },
    warm: (first) => {
      table = first;
      if (first !== undefined) permits.follow(first);
      while (workers.size < count) hire();
    },
    pids: () => Array.from(workers, ({ link }) => link.identity.pid),
    start: async () => {
      for (let tries = 1; ; tries += 1) {
        const first = workers.values().next().value ?? hire();
        while (workers.size < count) hire();
        const answer = await insist(first, { kind: 'ping' });
        if (answer.outcome === 'answered') break;
        if (tries < firstTries) continue;
        isDraining = true;
        life.abort(new Error('not started'));
        for (const { link } of workers) link.kill();
        throw sluiceError('gateway_start_failed', { reason: 'its workers end as soon as they are started.' });
      }
      watchPulse().catch(() => {});
    },
    open: async (door, socket) => {
      const worker = await listenFirst(door.address, { kind: 'open', door }, socket);
      doors.set(door.address, { door, socket });
      const others = Array.from(workers).filter((each) => each !== worker && each.isUp);
      await Promise.all(others.map((each) => insist(each, { kind: 'open', door }, socket)));
      for (const each of [worker, ...others]) reserve(each, door.address, socket).catch(() => {});
    },
    hold: async (address, socket) => {
      await listenFirst(address, { kind: 'listen', address }, socket);
      held.set(address, socket);
      const up = Array.from(workers).filter(({ isUp }) => isUp);
      await Promise.all(up.map((each) => insist(each, { kind: 'hold', address }, socket)));
    },
    close: async (address) => {
      doors.delete(address);
      held.delete(address);
      await all({ kind: 'close', address });
    },
    putInForce: async (next) => {
      const change = changeOf(table, next);
      table = next;
      permits.follow(next);
      await all({ kind: 'table', change, unhealthy: [...unhealthy] });
    },
    setHealth: (changes: readonly InstanceHealth[]) => {
      for (const { key, healthy } of changes) {
        if (healthy) unhealthy.delete(key);
        else unhealthy.add(key);
      }
      permits.refresh(changes.map(({ key }) => key));
      all({ kind: 'health', changes }).catch(() => {});
    },
    report: async () => mergeReports(await Promise.all(Array.from(workers, reportOf))),
    collect: async (what) => {
      const answers = await Promise.all(Array.from(workers, ({ link }) => link.ask({ kind: 'collect', what })));
      return answers.flatMap((answer) => (answer.outcome === 'answered' ? [answer.value] : []));
    },
    drain: async (deadlineMs) => {
      isDraining = true;
      life.abort(new Error('draining'));
      await Promise.all(Array.from(workers, (worker) => endOf(worker, deadlineMs)));
    },
  };

  /** The first worker to answer has it, or the port is another program's. */
  async function listenFirst(address: string, order: Order, socket: BoundSocket): Promise<Worker> {
    const tried = new Set<Worker>();
    for (;;) {
      const worker = await nextWorker(tried);
      tried.add(worker);
      const answer = await insist(worker, order, socket);
      if (answer.outcome !== 'answered') continue;
      if (typeof answer.value === 'string') throw sluiceError('gateway_port_taken', { address, reason: answer.value });
      return worker;
    }
  }

  async function nextWorker(tried: ReadonlySet<Worker>): Promise<Worker> {
    for (;;) {
      const found = Array.from(workers).find((each) => each.isUp && !tried.has(each));
      if (found !== undefined) return found;
      await clock.sleep(10, life.signal);
    }
  }

  async function endOf({ link }: Worker, deadlineMs: number): Promise<void> {
    const done = new AbortController();
    const limit = clock.sleep(deadlineMs + 2_000, done.signal).then(
      () => link.kill(),
      () => {},
    );
    link.ask({ kind: 'drain', deadlineMs }).catch(() => {});
    await link.gone;
    done.abort(new Error('gone'));
    await limit;
  }
}
