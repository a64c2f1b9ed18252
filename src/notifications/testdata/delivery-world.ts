import { onTestFinished } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { seededRandom } from '../../effects/random.ts';
import { createKnownSecrets } from '../../secrets/known-secrets.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import type { Store } from '../../store/store.ts';
import { createDeliveryWorker, type DeliveryWorkerDependencies } from '../delivery-worker.ts';
import type { DeadMessage, OutboxMessage } from '../message.ts';
import { createNotificationDocuments } from '../notification-documents.ts';
import { parseNetworks } from '../../effects/networks.ts';
import { createOutbox, type NewMessage } from '../outbox.ts';
import { createPost } from '../post.ts';

/** Short enough for tests to see the end of it. */
const policy = { firstMs: 20, mostMs: 40, attempts: 100, ageMs: 60_000 };

/** An outbox, and as many processes that deliver from it as a test begins. */
export function deliveryWorld() {
  const store = createMemoryStore();
  const notifications = createNotificationDocuments(store);
  const living = new Set<string>();
  const dead: DeadMessage[] = [];
  const answered: OutboxMessage[] = [];
  const reported: unknown[] = [];
  const outbox = createOutbox(store);

  /** Begins a process that delivers; `through` is the store as it sees it. */
  const begin = (name: string, extra: Partial<DeliveryWorkerDependencies> = {}, through: Store = store) => {
    const end = new AbortController();
    const secrets = createKnownSecrets();
    secrets.learn('a-known-secret');
    const worker = createDeliveryWorker({
      store: through,
      outbox,
      notifications,
      post: createPost({ networks: parseNetworks('loopback') ?? { allows: () => false }, clock: systemClock }),
      resolve: (_, fields) =>
        Promise.resolve(
          Object.fromEntries(Object.entries(fields).map(([field, text]) => [field, text.replace('${secret.key}', 'a-known-secret')])),
        ),
      secrets,
      clock: systemClock,
      random: seededRandom(1),
      userAgent: 'Sluice/test',
      owner: { name, mayBeAlive: (other) => living.has(other) },
      bury: async (message, writes) => {
        await through.transact(writes);
        dead.push(message);
      },
      answered: (message) => answered.push(message),
      report: (error) => reported.push(error),
      policy,
      ...extra,
    });
    living.add(name);
    const done = worker.run(end.signal);
    const stop = async (): Promise<void> => {
      end.abort();
      await done;
      living.delete(name);
    };
    onTestFinished(stop);
    return { stop };
  };

  return {
    store,
    outbox,
    notifications,
    living,
    dead,
    answered,
    reported,
    begin,
    declare: (name: string, url: string, secret?: string) =>
      notifications.write({ environment: 'test', name, url, format: 'json', on: ['completed'], ...(secret !== undefined && { secret }) }),
    /** As a transition writes it. */
    put: async (...messages: readonly NewMessage[]): Promise<void> => {
      await store.transact(messages.map((message) => outbox.entry(message)));
      outbox.announce();
    },
    isEmpty: async (): Promise<boolean> => (await outbox.list()).length === 0,
  };
}
