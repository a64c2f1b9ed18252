import { jsonEquals, type JsonObject } from '../digest/json.ts';
import { type Problem, problem } from '../errors/sluice-error.ts';
import type { CreateRequest, Provider } from '../providers/provider.ts';
import type { NotificationFields } from '../stack/kinds/notification.ts';
import type { ResolvedBlock } from '../stack/stack.ts';
import { mayReach, type Networks } from '../effects/networks.ts';
import type { NotificationDocuments, NotificationRecord } from './notification-documents.ts';
import type { Outbox } from './outbox.ts';

export interface NotificationProviderDependencies {
  readonly documents: NotificationDocuments;
  readonly outbox: Pick<Outbox, 'list' | 'dead' | 'withdrawal' | 'forget'>;
  readonly networks: Networks;
}

/** Notifications as resources. What is kept of one is what was declared: secrets are read when something is sent. */
export function createNotificationProvider({ documents, outbox, networks }: NotificationProviderDependencies): Provider {
  const apply = async ({ environment, name, declared }: CreateRequest) => {
    await documents.write(recordOf(environment, name, declared));
    return { id: `notification-${environment}-${name}`, outputs: {} };
  };

  return {
    name: 'notifications',
    kinds: ['notification'],
    replaceFields: () => [],

    check: async (stack) => stack.blocks.filter(({ kind }) => kind === 'notification').flatMap((block) => problemsOf(block, networks)),

    fingerprint: async () => ({}),

    async read({ environment, name, declared }) {
      const record = await documents.read(environment, name);
      if (record === undefined) return { status: 'absent' };
      const [applied, observed] = [recordOf(environment, name, declared), record].map((each) => each as unknown as JsonObject);
      const drift = Object.keys({ ...applied, ...observed })
        .filter((field) => !jsonEquals(applied?.[field], observed?.[field]))
        .map((field) => ({ field, applied: applied?.[field] ?? null, observed: observed?.[field] ?? null }));
      return { status: 'present', drift };
    },

    create: apply,
    update: apply,

    async delete({ environment, name }) {
      const isIts = (message: { environment: string; target: { kind: string; name: string } }): boolean =>
        message.environment === environment && message.target.kind === 'notification' && message.target.name === name;
      const waiting = (await outbox.list()).filter(({ message }) => isIts(message)).map(({ message }) => outbox.withdrawal(message.id));
      const dead = (await outbox.dead()).filter(isIts).map(({ id }) => outbox.forget(id));
      await documents.remove(environment, name, [...waiting, ...dead]);
    },

    // There is nothing that runs.
    suspend: async () => {},
    resume: async () => {},
  };
}

function recordOf(environment: string, name: string, declared: JsonObject): NotificationRecord {
  const { url, format, secret, on, services } = declared as unknown as NotificationFields;
  return {
    environment,
    name,
    url,
    format,
    ...(secret !== undefined && { secret }),
    on: [...on],
    ...(services && { services: [...services] }),
  };
}

function problemsOf(block: ResolvedBlock, networks: Networks): readonly Problem[] {
  const { name, address } = block;
  const { url, format, secret } = block.fields as unknown as NotificationFields;
  const where = { position: block.positionOf('url'), address };
  // What it says of its address by itself; names are looked up, and judged, when something is sent.
  const known = url.includes('${') ? null : URL.parse(url);
  const isRefused = known !== null && !mayReach(known, networks);
  return [
    ...(isRefused ? [problem('webhook_url_refused', { name, host: known.hostname.replace(/^\[|\]$/g, '') }, where)] : []),
    ...(format === 'json' && secret === undefined ? [problem('notification_unsigned', { name }, { ...where, severity: 'note' })] : []),
  ];
}
