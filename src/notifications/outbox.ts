import type { Json } from '../digest/json.ts';
import type { NotificationEvent } from '../stack/kinds/notification.ts';
import type { Store, Write } from '../store/store.ts';
import { type DeadMessage, deadMessage, type HookAnswer, type OutboxMessage, outboxMessage } from './message.ts';
import { createNotificationDocuments } from './notification-documents.ts';

const collection = 'outbox';
const dead = 'outbox-dead';

/** A message and the version of its document, by which one who deletes or changes it says which it means. */
export interface StoredMessage {
  readonly message: OutboxMessage;
  readonly version: number;
}

export type NewMessage = Omit<OutboxMessage, 'attempts' | 'dueAt' | 'claim' | 'trouble' | 'answer'>;

/**
 * What receivers are to be told, kept with the states that cause it: a message is written in the transaction of its transition, so that
 * there is never one without the other, and stays until its receiver has it or it is given up.
 */
export interface Outbox {
  /** Names of the notifications that are to hear of an event of a service. */
  receivers(environment: string, service: string, event: NotificationEvent): Promise<readonly string[]>;
  /** To be written with what causes it. */
  entry(message: NewMessage): Write;
  /** To be written with what makes it pointless, or with what has taken its answer in. */
  withdrawal(id: string): Write;
  /** How the receiver of a hook has answered; undefined while it has not. */
  answerOf(id: string): Promise<HookAnswer | undefined>;
  /** Has whoever delivers look at once. */
  announce(): void;
  /** Resolves at the next announcement. Take it before looking. */
  announced(): Promise<void>;
  /** All that waits, in no order. What cannot be understood is left alone. */
  list(): Promise<readonly StoredMessage[]>;
  read(id: string): Promise<StoredMessage | undefined>;
  dead(): Promise<readonly DeadMessage[]>;
  /** `message` in the place of what was read; throws `store_conflict` (in the transaction it is part of) when that has changed. */
  change(stored: StoredMessage, message: OutboxMessage): Write;
  removal(stored: StoredMessage): Write;
  /** From what waits to what was given up. */
  burial(stored: StoredMessage, message: DeadMessage): readonly Write[];
  /** From what was given up to what waits: its time and its attempts begin anew. Throws `store_conflict` when it waits already. */
  revival(message: DeadMessage, now: number): readonly Write[];
  forget(id: string): Write;
}

export function createOutbox(store: Store): Outbox {
  const notifications = createNotificationDocuments(store);
  let announcement = Promise.withResolvers<void>();

  return {
    receivers: async (environment, service, event) =>
      (await notifications.list(environment))
        .filter(({ on, services }) => on.includes(event) && (services === undefined || services.includes(service)))
        .map(({ name }) => name),
    entry: (message) => put({ ...message, attempts: 0, dueAt: message.createdAt }),
    withdrawal: (id) => ({ operation: 'delete', collection, key: id }),
    answerOf: async (id) => outboxMessage.safeParse((await store.get(collection, id))?.value).data?.answer,
    announce: () => {
      const told = announcement;
      announcement = Promise.withResolvers<void>();
      told.resolve();
    },
    announced: () => announcement.promise,
    list: async () =>
      (await store.list(collection)).flatMap(({ value, version }) => {
        const message = outboxMessage.safeParse(value).data;
        return message === undefined ? [] : [{ message, version }];
      }),
    read: async (id) => {
      const document = await store.get(collection, id);
      const message = document && outboxMessage.safeParse(document.value).data;
      return message && { message, version: document.version };
    },
    dead: async () => (await store.list(dead)).flatMap(({ value }) => deadMessage.safeParse(value).data ?? []),
    change: ({ version }, message) => put(message, version),
    removal: ({ message, version }) => ({ operation: 'delete', collection, key: message.id, ifVersion: version }),
    burial: ({ message: { id }, version }, message) => [
      { operation: 'delete', collection, key: id, ifVersion: version },
      { operation: 'put', collection: dead, key: id, value: message as unknown as Json },
    ],
    revival: ({ diedAt: _diedAt, reason: _reason, claim: _claim, ...message }, now) => [
      { operation: 'delete', collection: dead, key: message.id },
      put({ ...message, createdAt: now, attempts: 0, dueAt: now }, 0),
    ],
    forget: (id) => ({ operation: 'delete', collection: dead, key: id }),
  };
}

function put(message: OutboxMessage, ifVersion?: number): Write {
  const value = message as unknown as Json;
  return { operation: 'put', collection, key: message.id, value, ...(ifVersion !== undefined && { ifVersion }) };
}
