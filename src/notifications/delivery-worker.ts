import type { Random } from '../effects/random.ts';
import { SluiceError } from '../errors/sluice-error.ts';
import type { Store, Write } from '../store/store.ts';
import { type AttemptPorts, attemptDelivery, longestAttemptMs } from './attempt.ts';
import type { DeadMessage, OutboxMessage } from './message.ts';
import type { NotificationDocuments } from './notification-documents.ts';
import type { Outbox, StoredMessage } from './outbox.ts';
import { afterAttempt, type Next, type RetryPolicy, usualPolicy } from './retry-policy.ts';

export interface DeliveryWorkerDependencies extends Omit<AttemptPorts, 'notifications'> {
  readonly store: Pick<Store, 'transact'>;
  readonly outbox: Outbox;
  readonly notifications: NotificationDocuments;
  readonly random: Random;
  /** This process among all that may deliver from the same store, and whether another one may still live. */
  readonly owner: { readonly name: string; mayBeAlive(name: string): boolean };
  /** Makes a message that is given up durable, with the news of it. */
  readonly bury: (message: DeadMessage, writes: readonly Write[]) => Promise<void>;
  /** A hook has been answered. */
  readonly answered: (message: OutboxMessage) => void;
  readonly report: (error: unknown, message: string) => void;
  readonly policy?: RetryPolicy;
}

/** Delivers what waits in the outbox until the signal is aborted. Never rejects. */
export interface DeliveryWorker {
  run(signal: AbortSignal): Promise<void>;
}

/** What another control plane has written is noticed after so long. */
const pollMs = 1_000;
/** Beyond the time of an attempt, before a message counts as left behind by a process that cannot be asked. */
const claimMarginMs = 30_000;
/** What is being sent at the end may be finished within this. */
const graceMs = 2_000;
const atOnce = 16;
const atOncePerReceiver = 4;

/**
 * Of each lane the first message is claimed, sent and settled, each in a transaction that names the version it saw: of several control
 * planes one has it at a time. A message whose process died is taken over, and sent again under the same id: at least once.
 */
export function createDeliveryWorker(dependencies: DeliveryWorkerDependencies): DeliveryWorker {
  const { store, outbox, notifications, clock, random, owner, bury, answered, report, policy = usualPolicy } = dependencies;
  const busy = new Map<string, { readonly receiver: string; readonly done: Promise<void> }>();
  const sending = new AbortController();
  let finished = Promise.withResolvers<void>();

  const mayTake = ({ claim }: OutboxMessage, now: number): boolean =>
    claim === undefined || claim.by === owner.name || claim.until <= now || !owner.mayBeAlive(claim.by);

  const claim = async ({ message, version }: StoredMessage): Promise<StoredMessage> => {
    const until = clock.now() + longestAttemptMs(message) + claimMarginMs;
    const claimed = { ...message, claim: { by: owner.name, until } };
    const [next = 0] = await store.transact([outbox.change({ message, version }, claimed)]);
    return { message: claimed, version: next };
  };

  const settle = async (stored: StoredMessage, next: Next): Promise<void> => {
    const { message } = stored;
    const { claim: _, ...released } = message;
    switch (next.next) {
      case 'done':
        await store.transact([
          outbox.removal(stored),
          ...(message.target.kind === 'notification'
            ? [notifications.delivery(message.environment, message.target.name, clock.now())]
            : []),
        ]);
        return;
      case 'remove':
        await store.transact([outbox.removal(stored)]);
        return;
      case 'release':
        await store.transact([outbox.change(stored, released)]);
        return;
      case 'again':
        await store.transact([outbox.change(stored, next.message)]);
        return;
      case 'answered':
        await store.transact([outbox.change(stored, next.message)]);
        answered(next.message);
        return;
      case 'dead':
        break;
    }
    const body: DeadMessage = { ...next.message, diedAt: clock.now(), reason: next.reason };
    await bury(body, outbox.burial(stored, body));
  };

  const deliver = async (waiting: StoredMessage): Promise<void> => {
    try {
      const claimed = await claim(waiting);
      const attempt = await attemptDelivery(claimed.message, dependencies, sending.signal);
      await settle(claimed, afterAttempt(claimed.message, attempt, clock.now(), random.next(), policy));
    } catch (error) {
      // Another control plane was faster, or what it was about is over.
      if (error instanceof SluiceError && error.code === 'store_conflict') return;
      report(error, waiting.message.id);
      await clock.sleep(pollMs, sending.signal).catch(() => undefined);
    }
  };

  /** Begins what is due; when the next one will be. */
  const begin = async (): Promise<number> => {
    const now = clock.now();
    let soonest = now + pollMs;
    for (const head of headsOf(await outbox.list())) {
      const { id, dueAt } = head.message;
      if (busy.has(id) || !mayTake(head.message, now)) continue;
      // A time that no pause reaches comes of a clock that was set back.
      const isDue = dueAt <= now || dueAt > now + policy.mostMs;
      if (!isDue) soonest = Math.min(soonest, dueAt);
      else if (busy.size < atOnce && countOf(receiverOf(head.message)) < atOncePerReceiver) start(head);
    }
    return soonest;
  };

  const countOf = (receiver: string): number => [...busy.values()].filter((each) => each.receiver === receiver).length;

  const start = (head: StoredMessage): void => {
    const { id } = head.message;
    const done = deliver(head).finally(() => {
      busy.delete(id);
      const over = finished;
      finished = Promise.withResolvers<void>();
      over.resolve();
    });
    busy.set(id, { receiver: receiverOf(head.message), done });
  };

  /** Until nothing is being sent any more, within the time that is given at the end. */
  const untilIdle = async (): Promise<void> => {
    const timer = new AbortController();
    const late = clock.sleep(graceMs, timer.signal).catch(() => undefined);
    await Promise.race([Promise.all([...busy.values()].map(({ done }) => done)), late]);
    timer.abort();
  };

  return {
    run: async (signal) => {
      const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      while (!signal.aborted) {
        const [news, room] = [outbox.announced(), finished.promise];
        // A store that is away is asked again.
        const soonest = await begin().catch(() => clock.now() + pollMs);
        const timer = new AbortController();
        const pause = clock.sleep(Math.max(1, soonest - clock.now()), timer.signal).catch(() => undefined);
        await Promise.race([news, room, pause, ended]);
        timer.abort();
      }
      await untilIdle();
      sending.abort(new Error('the control plane is ending'));
      // To note what came of it; a store that is away is not waited for.
      await untilIdle();
    },
  };
}

/** Of each lane the message that comes first; those that are answered already wait for nobody here. The longest due come first. */
function headsOf(stored: readonly StoredMessage[]): readonly StoredMessage[] {
  const heads = new Map<string, StoredMessage>();
  for (const each of stored) {
    if (each.message.answer !== undefined) continue;
    const head = heads.get(each.message.lane);
    if (head === undefined || each.message.order < head.message.order) heads.set(each.message.lane, each);
  }
  return [...heads.values()].toSorted((left, right) => left.message.dueAt - right.message.dueAt);
}

function receiverOf({ environment, target }: OutboxMessage): string {
  return `${environment}/${target.kind}/${target.name}`;
}
