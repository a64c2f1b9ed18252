import type { Json } from '../digest/json.ts';
import type { Write } from '../store/store.ts';

/** What happened, for people and programs that watch. Durable, in one order, resumable by sequence. Never contains a secret. */
export interface SluiceEvent {
  readonly sequence: number;
  /** RFC 3339, milliseconds, UTC. */
  readonly time: string;
  readonly type: EventType;
  readonly level: 'info' | 'warning' | 'error';
  /** One sentence for people. */
  readonly message: string;
  readonly environment?: string;
  /** `environment/kind/name` of the resource it is about. */
  readonly address?: string;
  /** The run (one apply or destroy) it belongs to. */
  readonly run?: string;
  readonly data?: Json;
}

export const eventTypes = [
  'control_plane.started',
  'control_plane.stopped',
  'gateway.started',
  'gateway.exited',
  'run.started',
  'run.finished',
  'change.started',
  'change.progressed',
  'change.finished',
  'change.failed',
  'change.skipped',
  'instance.started',
  'instance.ready',
  'instance.adopted',
  'instance.exited',
  'instance.crash_looping',
  'instance.stopped',
  'rollout.started',
  'rollout.progressed',
  'rollout.completed',
  'rollout.failed',
  'rollout.operated',
  'service.scaled',
  'service.restarted',
  'resource.suspended',
  'resource.resumed',
  'resource.forgotten',
  'database.backed_up',
  'database.backup_failed',
  'database.restoring',
  'database.restored',
  'database.restore_failed',
  'database.archive_failing',
  'database.archiving',
  'database.storage',
  'drift.found',
  'drift.repaired',
  'environment.unlocked',
  'flag.changed',
  'notification.dead',
  'key.created',
  'key.revoked',
] as const;
export type EventType = (typeof eventTypes)[number];

export type NewEvent = Omit<SluiceEvent, 'sequence' | 'time'>;

export interface EventLog {
  /** Resolves with the sequence once the event is durable. */
  publish(event: NewEvent): Promise<number>;
  /**
   * The event as a write, for a transaction of the caller's own: what happened and the news of it become durable together. Call `announce`
   * once the transaction is done, so that those who follow hear of it.
   */
  entry(event: NewEvent): Write;
  announce(): void;
  /** All events after `after`, then new ones as they come, until the signal is aborted. Never skips or repeats one. */
  follow(after: number, signal: AbortSignal): AsyncIterable<SluiceEvent>;
  /** Events after `after`, at most `limit`. */
  read(after: number, limit: number): Promise<readonly SluiceEvent[]>;
  last(): Promise<number>;
}
