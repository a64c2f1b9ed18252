import type { Socket } from 'node:net';
import type { Clock } from '../../effects/clock.ts';
import type { Backend } from '../balancing/choose.ts';
import type { Instance } from '../balancing/instance.ts';
import type { GatewayLog } from '../log.ts';
import type { RequestObserver } from '../measuring/observer.ts';
import type { RoutedService, Routes } from '../routing/routes.ts';
import { Bag, type Bagged } from './bag.ts';
import type { Limits } from './limits.ts';
import { createPools, type Pools } from './upstream/pool.ts';

/** What happened to a request on its way, as far as it says something about the instance. `failing`: answered, with `isFailureStatus`. */
export type Outcome = 'answered' | 'failing' | 'unreachable' | 'reset';

/** What the HTTP engine asks of the rest of the gateway. It knows nothing of tables, weights, health rules or drains. */
interface Dispatch {
  /** The routes in force at this moment. */
  routes(): Routes;
  /**
   * An instance that is none of `tried`. With `assigned`, one of it; when it has no ready instance, one of another release. Undefined: none.
   */
  choose(service: RoutedService, tried: readonly Instance[], assigned: Backend | undefined): Instance | undefined;
  acquire(instance: Instance): void;
  release(instance: Instance): void;
  report(instance: Instance, outcome: Outcome): void;
}

/** One request that is on its way through the gateway, from its routing to the end of its answer. */
export interface Running extends Bagged {
  /** Called now and then; ends the exchange when one of its limits is exceeded. `now` is monotonic milliseconds. */
  expire(now: number): void;
  /** Breaks off, whatever state it is in: the deadline of a drain has passed. */
  terminate(): void;
}

/** One listener's connections. What a plain, an encrypted or a handed-over socket is, the front does not know. */
export interface Front {
  /** The way in of every connection: whoever accepted it gives it away. Its bytes must not have been read. */
  accept(socket: Socket, options?: { readonly isEncrypted: boolean }): void;
  /** Connections end after the answer they are at; idle ones at once. `accept` still takes what was accepted meanwhile. */
  retire(): void;
  /** Ends all connections at once. */
  destroy(): void;
  /** Ends what has exceeded a limit between requests; called by the engine's sweep. */
  expire(now: number): void;
  readonly connections: number;
  /** Ends up to so many connections that are between two requests; how many it were. */
  closeIdle(atMost: number): number;
}

export interface EngineDependencies {
  readonly dispatch: Dispatch;
  readonly limits: Limits;
  readonly log: GatewayLog;
  /** Told of every request that a service has had, at its end. */
  readonly observer?: RequestObserver;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Uniform in [0, 1): draws releases and mirrored requests. */
  readonly point: () => number;
  /** Lower-case hex of so many random bytes. */
  readonly identifier: (bytes: number) => string;
  readonly isStopping: () => boolean;
}

/** What all fronts of a process share. Made by `createEngine`. */
export interface Engine extends EngineDependencies {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** The value of a Date field for this moment. */
  readonly date: () => string;
  readonly pools: Pools;
  /** Every exchange that has not ended. */
  readonly running: Bag<Running>;
  /** Copies of requests that are on their way to a mirror: nobody waits for them. */
  readonly mirrored: Bag<Running>;
  readonly fronts: Set<Front>;
  /** Of clients, of all fronts. */
  connectionCount(): number;
  /** To be called every `sweepMs`: limits are kept by it and not by a timer for each. */
  sweep(): void;
  readonly sweepMs: number;
}

export function createEngine(dependencies: EngineDependencies): Engine {
  const { limits, clock } = dependencies;
  const now = (): number => clock.monotonic();
  const running = new Bag<Running>();
  const mirrored = new Bag<Running>();
  const fronts = new Set<Front>();
  const pools = createPools(limits, now);
  let date = '';
  let dateAt = Number.NEGATIVE_INFINITY;
  return {
    ...dependencies,
    now,
    date: () => {
      const moment = Math.floor(clock.now() / 1_000);
      if (moment !== dateAt) {
        dateAt = moment;
        date = new Date(moment * 1_000).toUTCString();
      }
      return date;
    },
    pools,
    running,
    mirrored,
    fronts,
    connectionCount: () => {
      let count = 0;
      for (const front of fronts) count += front.connections;
      return count;
    },
    sweep: () => {
      const at = now();
      for (const exchange of running) exchange.expire(at);
      for (const copy of mirrored) copy.expire(at);
      for (const front of fronts) front.expire(at);
      pools.expire(at);
    },
    sweepMs: sweepIntervalOf(limits),
  };
}

function sweepIntervalOf(limits: Limits): number {
  const shortest = Math.min(
    limits.requestHeadMs,
    limits.clientKeepAliveMs,
    limits.connectMs,
    limits.bodyIdleMs,
    limits.responseHeadMs,
    limits.streamIdleMs,
    limits.upgradeIdleMs,
  );
  return Math.max(20, Math.min(500, shortest / 4));
}
