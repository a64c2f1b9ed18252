import type { AuditLog } from '../../audit/audit-log.ts';
import { createNotificationParts } from '../../control-plane/notification-parts.ts';
import { systemClock } from '../../effects/clock.ts';
import { systemRandom } from '../../effects/random.ts';
import { createOutbox } from '../../notifications/outbox.ts';
import { createKnownSecrets } from '../../secrets/known-secrets.ts';
import type { Store } from '../../store/store.ts';
import type { EventLog } from '../../telemetry/events.ts';

/** Notifications over a store, of which nothing is delivered by itself. */
export function notificationsOver(given: { readonly store: Store; readonly audit: AuditLog; readonly events: EventLog }) {
  const outbox = createOutbox(given.store);
  const { desk } = createNotificationParts({
    ...given,
    outbox,
    networks: undefined,
    clock: systemClock,
    random: systemRandom,
    secrets: createKnownSecrets(),
    resolver: { resolve: async (_, fields) => fields },
    answered: () => undefined,
    report: () => undefined,
  });
  return { outbox, desk };
}
