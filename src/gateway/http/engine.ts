import type { Agent } from 'node:http';
import type { Instance } from '../balancing/instance.ts';
import type { RoutedService, Routes } from '../routing/routes.ts';
import type { GatewayLog } from '../log.ts';
import type { RequestObserver } from '../measuring/observer.ts';
import type { Limits } from './limits.ts';

/** What happened to a request on its way, as far as it says something about the instance. */
type Outcome = 'answered' | 'unreachable' | 'reset';

/** What the HTTP engine asks of the rest of the gateway. It knows nothing of tables, weights, health rules or drains. */
interface Dispatch {
  /** The routes in force at this moment. */
  routes(): Routes;
  choose(service: RoutedService, tried: readonly Instance[]): Instance | undefined;
  acquire(instance: Instance): void;
  release(instance: Instance): void;
  report(instance: Instance, outcome: Outcome): void;
}

/** One request that is on its way through the gateway, from its routing to the end of its answer. */
export interface Exchange {
  /** The client's connection has ended. */
  abandoned(): void;
  /** Called now and then; ends the exchange when one of its limits is exceeded. `now` is monotonic milliseconds. */
  expire(now: number): void;
  /** Nothing more can be read from the client. Refuses the request if part of it is missing; a whole one goes on. */
  spoil(): void;
  /** Breaks off, whatever state it is in: the deadline of a drain has passed. */
  terminate(): void;
}

export interface Engine {
  readonly dispatch: Dispatch;
  readonly limits: Limits;
  readonly log: GatewayLog;
  /** Told of every request that was given to a service, at its end. */
  readonly observer?: RequestObserver;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly identifier: (bytes: number) => string;
  readonly agentOf: (instance: Instance) => Agent;
  /** Every exchange that has not ended. */
  readonly running: Set<Exchange>;
  /** Connections of clients are closed after their current answer. */
  readonly isStopping: () => boolean;
}
