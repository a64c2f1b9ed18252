import type { NotificationDesk } from '../api/ports.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import { processOwner } from '../engine/lease-owner.ts';
import type { OutputResolver } from '../engine/output-resolver.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { createDeliveryWorker, type DeliveryWorker } from '../notifications/delivery-worker.ts';
import type { DeadMessage, OutboxMessage } from '../notifications/message.ts';
import { createNotificationDocuments } from '../notifications/notification-documents.ts';
import { createNotificationProvider } from '../notifications/notification-provider.ts';
import { parseNetworks, usualNetworks } from '../effects/networks.ts';
import type { Outbox } from '../notifications/outbox.ts';
import { createPost } from '../notifications/post.ts';
import { removeOldDead } from '../notifications/retention.ts';
import type { Provider } from '../providers/provider.ts';
import type { KnownSecrets } from '../secrets/known-secrets.ts';
import type { Store, Write } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';
import { createNotificationDesk } from './notification-desk.ts';
import { productVersion } from './product-version.ts';

export interface NotificationParts {
  readonly provider: Provider;
  readonly desk: NotificationDesk;
  readonly worker: DeliveryWorker;
}

/** All that has to do with telling others, wired. Throws `webhook_networks_invalid`. */
export function createNotificationParts(dependencies: {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly resolver: OutputResolver;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly events: Pick<EventLog, 'entry' | 'announce'>;
  readonly secrets: KnownSecrets;
  readonly clock: Clock;
  readonly random: Random;
  /** Value of SLUICE_WEBHOOK_NETWORKS; what is usual when absent. */
  readonly networks: string | undefined;
  readonly answered: (message: OutboxMessage) => void;
  readonly report: (error: unknown, message: string) => void;
}): NotificationParts {
  const { store, outbox, resolver, audit, events, secrets, clock, random, answered, report } = dependencies;
  const given = dependencies.networks ?? usualNetworks;
  const networks = parseNetworks(given);
  if (networks === undefined) throw sluiceError('webhook_networks_invalid', { given });
  const notifications = createNotificationDocuments(store);
  const resolve = (environment: string, fields: Readonly<Record<string, string>>) => resolver.resolve(environment, fields);
  const sending = { post: createPost({ networks, clock }), resolve, secrets, clock, userAgent: `Sluice/${productVersion}` };

  /** That nobody was told is news itself, for those who look and for the record. */
  const bury = async (message: DeadMessage, writes: readonly Write[]): Promise<void> => {
    const { environment, target, id, reason, body, service } = message;
    const address = `${environment}/notification/${target.name}`;
    const said = `The notification ${target.name} could not be told '${body.message}': ${reason}`;
    const event = events.entry({ type: 'notification.dead', level: 'error', message: said, environment, address, data: { id, service } });
    const entry = { actor: { name: 'control plane' }, action: 'notification.dead', phase: 'done', environment, target: address } as const;
    await audit.append({ ...entry, details: { id, reason } }, [...writes, event]);
    events.announce();
    await removeOldDead({ store, outbox, now: clock.now() });
  };

  return {
    provider: createNotificationProvider({ documents: notifications, outbox, networks }),
    desk: createNotificationDesk({ ...sending, store, outbox, notifications, random }),
    worker: createDeliveryWorker({
      ...sending,
      store,
      outbox,
      notifications,
      random,
      owner: processOwner(),
      bury,
      answered,
      report,
    }),
  };
}
