import type { NotificationDesk } from '../api/ports.ts';
import type { MessageView, NotificationReport } from '../api/schemas/notification.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import { attemptDelivery, type AttemptPorts } from '../notifications/attempt.ts';
import type { DeadMessage, OutboxMessage } from '../notifications/message.ts';
import type { NotificationDocuments, NotificationRecord } from '../notifications/notification-documents.ts';
import type { Outbox } from '../notifications/outbox.ts';
import type { Store } from '../store/store.ts';

export interface NotificationDeskDependencies extends Omit<AttemptPorts, 'notifications'> {
  readonly store: Pick<Store, 'transact'>;
  readonly outbox: Outbox;
  readonly notifications: NotificationDocuments;
  readonly random: Random;
  readonly clock: Clock;
}

const never = new AbortController().signal;

/** Notifications as people see them, and what they do about messages that do not arrive. */
export function createNotificationDesk(dependencies: NotificationDeskDependencies): NotificationDesk {
  const { store, outbox, notifications, clock, random } = dependencies;

  const deadIn = async (environment: string): Promise<readonly DeadMessage[]> =>
    (await outbox.dead()).filter((message) => message.environment === environment);

  const revive = async (message: DeadMessage): Promise<MessageView> => {
    await store.transact(outbox.revival(message, clock.now()));
    outbox.announce();
    return viewOf({ ...message, attempts: 0, dueAt: clock.now() }, clock.now());
  };

  return {
    list: async (environment): Promise<NotificationReport> => {
      const [records, stored, dead, deliveries] = await Promise.all([
        notifications.list(environment),
        outbox.list(),
        deadIn(environment),
        notifications.deliveries(environment),
      ]);
      const waiting = stored.map(({ message }) => message).filter((message) => message.environment === environment);
      return {
        notifications: records.map((record) => {
          const counts = { waiting: waiting.filter(isTo(record)).length, dead: dead.filter(isTo(record)).length };
          return recordView(record, deliveries.get(record.name), counts);
        }),
        messages: [
          ...dead.toSorted(oldestFirst).map(deadView),
          ...waiting.toSorted(oldestFirst).map((message) => viewOf(message, clock.now())),
        ],
      };
    },

    test: async (environment, name) => {
      const record = await notifications.read(environment, name);
      if (record === undefined) throw sluiceError('unknown_notification', { environment, name });
      const begun = clock.monotonic();
      const attempt = await attemptDelivery(sampleFor(record, newId('msg', random), clock.now()), dependencies, never);
      const tookMs = Math.round(clock.monotonic() - begun);
      if (attempt.outcome === 'delivered') return { delivered: true, tookMs };
      return { delivered: false, reason: attempt.outcome === 'failed' ? attempt.reason : 'it has just been removed', tookMs };
    },

    retry: async (environment, id) => {
      try {
        const stored = await outbox.read(id);
        if (stored?.message.environment === environment) {
          const { answer, claim } = stored.message;
          if (answer !== undefined || (claim !== undefined && claim.until > clock.now())) throw sluiceError('message_busy', { id });
          const message = { ...stored.message, dueAt: clock.now() };
          await store.transact([outbox.change(stored, message)]);
          outbox.announce();
          return viewOf(message, clock.now());
        }
        const dead = (await deadIn(environment)).find((message) => message.id === id);
        if (dead === undefined) throw sluiceError('unknown_message', { environment, id });
        return await revive(dead);
      } catch (error) {
        if (error instanceof SluiceError && error.code === 'store_conflict') throw sluiceError('message_busy', { id }, { cause: error });
        throw error;
      }
    },
  };
}

function sampleFor({ environment, name }: NotificationRecord, id: string, now: number): OutboxMessage {
  const address = `${environment}/notification/${name}`;
  const message = `This is a test of the notification ${name}: nothing has happened`;
  const body = { type: 'test' as const, id, time: timestamp(now), environment, service: '', address, message };
  const target = { kind: 'notification' as const, name };
  return { id, target, environment, service: '', lane: id, order: 0, createdAt: now, body, attempts: 0, dueAt: now };
}

function oldestFirst(one: OutboxMessage, other: OutboxMessage): number {
  return one.createdAt - other.createdAt || one.order - other.order;
}

function isTo({ name }: NotificationRecord): (message: OutboxMessage) => boolean {
  return ({ target }) => target.kind === 'notification' && target.name === name;
}

function recordView(
  { environment, name, url, format, secret, on, services }: NotificationRecord,
  deliveredAt: number | undefined,
  counts: { readonly waiting: number; readonly dead: number },
) {
  return {
    address: `${environment}/notification/${name}` as const,
    environment,
    name,
    url: shown(url),
    format,
    signed: secret !== undefined,
    on,
    ...(services && { services }),
    ...(deliveredAt !== undefined && { deliveredAt: timestamp(deliveredAt) }),
    ...counts,
  };
}

/** Whoever may read need not know the path: of many a webhook it is all one needs to send to it. */
function shown(url: string): string {
  const parsed = url.includes('${') ? null : URL.parse(url);
  if (parsed === null) return url;
  return parsed.pathname === '/' && parsed.search === '' ? parsed.origin : `${parsed.origin}/…`;
}

function viewOf(message: OutboxMessage, now: number): MessageView {
  const { id, environment, service, target, body, attempts, dueAt, claim, trouble, answer } = message;
  const status = answer !== undefined ? 'answered' : claim !== undefined && claim.until > now ? 'sending' : 'waiting';
  return {
    id,
    environment,
    service,
    to: `${target.kind}/${target.name}`,
    type: body.type,
    message: body.message,
    at: body.time,
    status,
    attempts,
    ...(status === 'waiting' && { dueAt: timestamp(dueAt) }),
    ...(trouble !== undefined && { reason: trouble }),
  };
}

function deadView(message: DeadMessage): MessageView {
  const { dueAt: _, ...view } = viewOf(message, 0);
  return { ...view, status: 'dead', reason: message.reason };
}
