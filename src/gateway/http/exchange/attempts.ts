import type { Backend } from '../../balancing/choose.ts';
import type { Instance } from '../../balancing/instance.ts';
import type { Ending, Finished } from '../../measuring/meter.ts';
import type { RoutedService } from '../../routing/routes.ts';
import type { Engine, Outcome } from '../engine.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { UpstreamEvents } from '../upstream/events.ts';
import type { RequestHead } from '../downstream.ts';
import { type Account, settle } from './settlement.ts';

/**
 * The tries of one request: which instance has it, over which connection, and for which release it is counted. Every instance that is
 * acquired is released, every meter that begins ends.
 */
export class Attempts {
  count = 0;
  connection: UpstreamConnection | undefined;
  instance: Instance | undefined;
  /** The one that had it last. */
  last: Instance | undefined;
  readonly #engine: Engine;
  readonly #service: RoutedService;
  readonly #account: Account;
  readonly #tried: Instance[] = [];
  #backend: Backend | undefined;

  constructor(engine: Engine, service: RoutedService, account: Account) {
    this.#engine = engine;
    this.#service = service;
    this.#account = account;
    service.retryBudget?.deposit(account.startedAt);
  }

  /**
   * Gives the request to an instance that has not failed it yet. `ready`: over a kept connection; `connecting`: one is being made; `none`:
   * there is no instance, or it has been tried often enough.
   */
  next(events: UpstreamEvents, how: 'any' | 'fresh' | 'switching'): 'ready' | 'connecting' | 'none' {
    const { dispatch, limits, pools } = this.#engine;
    if (this.count >= limits.attempts) return 'none';
    const { assigned } = this.#account;
    // No other release answers a tester in the name of the one that was asked for.
    const among = assigned?.by === 'override' ? { ...this.#service, backends: [assigned.backend] } : this.#service;
    const chosen = dispatch.choose(among, this.#tried, assigned?.backend);
    if (chosen === undefined) return 'none';
    // Another try on a new connection where the kept one was found closed is no retry: no instance has seen the request.
    if (this.#tried.length > 0 && this.#service.retryBudget?.withdraw(this.#engine.now()) === false) return 'none';
    this.count += 1;
    this.instance = chosen;
    this.last = chosen;
    dispatch.acquire(chosen);
    this.#charge(chosen);
    const kept = how === 'any' ? pools.take(chosen) : undefined;
    this.connection = kept ?? pools.open(chosen, how === 'switching');
    this.connection.assign(events);
    return kept === undefined ? 'connecting' : 'ready';
  }

  report(outcome: Outcome): void {
    if (this.instance !== undefined) this.#engine.dispatch.report(this.instance, outcome);
  }

  /** The instance cannot have it: it is not tried again. */
  giveUpOn(outcome: Outcome): void {
    this.report(outcome);
    if (this.instance !== undefined) this.#tried.push(this.instance);
    this.drop();
  }

  /** Closes the connection, if there is one, and lets the instance go. */
  drop(): void {
    const dropped = this.connection;
    this.connection = undefined;
    dropped?.drop();
    this.letGo();
  }

  letGo(): void {
    const held = this.instance;
    this.instance = undefined;
    if (held !== undefined) this.#engine.dispatch.release(held);
  }

  /** The account of it, to be read at once; undefined when no instance was ever given it. */
  end(ending: Ending): Finished | undefined {
    this.drop();
    const charged = this.#backend;
    this.#backend = undefined;
    return charged === undefined ? undefined : settle(charged, this.#account, ending, this.#engine.now());
  }

  /** The release that the request is counted for from now on. */
  #charge(chosen: Instance): void {
    const backend = backendOf(this.#service, chosen);
    if (backend === this.#backend) return;
    if (this.#backend?.meter !== undefined) settle(this.#backend, this.#account, 'failed', this.#engine.now());
    this.#backend = backend;
    backend?.meter?.begin(this.#account.assigned?.backend === backend ? this.#account : undefined);
  }
}

function backendOf(service: RoutedService, instance: Instance): Backend | undefined {
  for (const backend of service.backends) if (backend.release === instance.release) return backend;
  return undefined;
}

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Whether a request can be sent again although an instance may have got what was sent of it: it is safe, or its body was not begun. */
export function isRepeatable(head: RequestHead, hasBodyBegun: boolean): boolean {
  return !hasBodyBegun && (head.body !== 'none' || idempotent.has(head.method));
}

/** Whether a connection that broke was most likely closed by the instance before the request came: a kept one that gave no byte. */
export function isUnseen(connection: UpstreamConnection): boolean {
  return connection.isReused && !connection.hasAnswerByte;
}
