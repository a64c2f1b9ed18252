import type { LimitsRoute } from '../routing-table.ts';

export type Priority = LimitsRoute['priority'];

/** One request at the door of a service. Callbacks come at most one of the two, never from inside `enter`. */
export interface Waiting {
  readonly priority: Priority;
  /** It may go on; `leave` must follow exactly once. */
  granted(): void;
  /** It may not: the queue took a more urgent one in its place, or it waited too long. */
  shed(reason: 'queue_full' | 'timeout'): void;
}

/** Bounded concurrency of one service with a bounded queue, more urgent first, in order of arrival among equals. */
export interface Limiter {
  /** `granted` and `shed` are the answer at once; `waiting` is followed by one of the callbacks, unless `cancel` comes first. */
  enter(waiting: Waiting): 'granted' | 'waiting' | 'shed';
  leave(): void;
  /** The client is gone while it waited. */
  cancel(waiting: Waiting): void;
  /** Requests that may run at once; shrinking lets what runs end. */
  resize(capacity: number): void;
  /** Sheds whoever has waited too long. `now` is monotonic milliseconds. */
  expire(now: number): void;
  running(): number;
  queued(): number;
}
