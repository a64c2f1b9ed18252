import type { InstanceHealth } from '../data-plane.ts';
import type { ProcessIdentity } from '../../effects/processes.ts';
import type { ObserverSettings } from '../measuring/observer-settings.ts';
import type { Spending } from '../limits/spending.ts';
import type { TableChange } from '../table/table-change.ts';
import type { Door } from './door.ts';

/** The one parameter of a worker, as JSON. */
export interface WorkerParameters {
  readonly folder: string;
  readonly mainPid: number;
  /** Access log and traces. */
  readonly observing: ObserverSettings;
  /** Workers that were there before it. */
  readonly elders: readonly ProcessIdentity[];
}

/** The name under which the places of a service's queue are shared, as its concurrency is under its own. */
export function queueName(service: string): string {
  return `${service} queue`;
}

/** How much of a service's concurrency, or of its queue, a worker may use. */
export interface Share {
  /** `environment/name`, or the `queueName` of that. */
  readonly service: string;
  readonly capacity: number;
  readonly sequence: number;
}

/** What a service's requests ask for in one worker. */
export interface Demand {
  readonly service: string;
  /** That run or wait; for a queue, that wait. */
  readonly requests: number;
  /** The latest share it keeps to: no more requests run, or have a place, than that allows. */
  readonly settled?: number;
}

/** What the main process asks of a worker; each is answered, in order. Sent by structured clone over the channel of `fork`. */
export type Order =
  /** What other workers have let through by rate limits. */
  | { readonly kind: 'spent'; readonly spent: readonly Spending[] }
  /** Accompanied by the socket. The answer is why it cannot be listened on, if it cannot. */
  | { readonly kind: 'open'; readonly door: Door }
  /** Accompanied by another handle of a socket that is open, for times when one is not enough. */
  | { readonly kind: 'reserve'; readonly address: string }
  /** Accompanied by a handle to listen by and to give up. The answer is why it cannot be listened on, if it cannot. */
  | { readonly kind: 'listen'; readonly address: string }
  /** Accompanied by a socket that another program accepts from: to be kept, and handed on should the main process die. */
  | { readonly kind: 'hold'; readonly address: string }
  | { readonly kind: 'close'; readonly address: string }
  /** Every later request is served by the table this makes of the one in force. */
  | { readonly kind: 'table'; readonly change: TableChange; readonly unhealthy: readonly string[] }
  | { readonly kind: 'health'; readonly changes: readonly InstanceHealth[] }
  /** That no more requests run than that is told by a notice of demand, at once or when some have ended. */
  | { readonly kind: 'shares'; readonly shares: readonly Share[] }
  /** Answered with what the collector of that name gives: a value that can be cloned. */
  | { readonly kind: 'collect'; readonly what: string }
  /** The main process serves: should it die, this worker goes on. Before that it ends with it. */
  | { readonly kind: 'outlive' }
  /** Answered when nothing is left; the worker then ends. */
  | { readonly kind: 'drain'; readonly deadlineMs: number }
  | { readonly kind: 'ping' };

export interface NumberedOrder {
  readonly id: number;
  readonly order: Order;
}

/** What a worker tells the main process. */
export type Notice =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  /** The order could not be carried out: a defect. */
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string }
  | { readonly kind: 'ejected'; readonly key: string }
  /** It has given up its reserve of handles, and would like to have one again. */
  | { readonly kind: 'calm' }
  | { readonly kind: 'demand'; readonly demands: readonly Demand[] }
  /** For all other workers. */
  | { readonly kind: 'spent'; readonly spent: readonly Spending[] }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly fields: object; readonly message: string };

/** Both ends are of this package and of one version; what else arrives (Node's own messages) is not for us. */
export function isOrder(message: unknown): message is NumberedOrder {
  return typeof message === 'object' && message !== null && 'order' in message && 'id' in message;
}

const notices: ReadonlySet<unknown> = new Set<Notice['kind']>(['answer', 'failed', 'ejected', 'calm', 'demand', 'spent', 'log']);

export function isNotice(message: unknown): message is Notice {
  return typeof message === 'object' && message !== null && 'kind' in message && notices.has(message.kind);
}
