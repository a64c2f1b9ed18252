import { z } from 'zod';
import type { Json } from '../digest/json.ts';
import { notificationEvents } from '../stack/kinds/notification.ts';
import type { Store, Write } from '../store/store.ts';

/** A notification that has been applied, as declared: secrets stand as references. */
const notificationRecord = z.object({
  environment: z.string(),
  name: z.string(),
  url: z.string(),
  format: z.enum(['json', 'slack']),
  secret: z.string().optional(),
  on: z.array(z.enum(notificationEvents)),
  services: z.array(z.string()).optional(),
});
export type NotificationRecord = z.infer<typeof notificationRecord>;

const collection = 'notifications';
const delivered = 'notification-deliveries';

/** Notifications that have been applied, in the store. One that cannot be understood is none. */
export interface NotificationDocuments {
  read(environment: string, name: string): Promise<NotificationRecord | undefined>;
  list(environment: string): Promise<readonly NotificationRecord[]>;
  write(record: NotificationRecord): Promise<void>;
  /** With `writes` in the same transaction. */
  remove(environment: string, name: string, writes: readonly Write[]): Promise<void>;
  /** To be written when a message has been taken by its receiver. */
  delivery(environment: string, name: string, at: number): Write;
  /** When each was last delivered to (milliseconds since the epoch), by name. */
  deliveries(environment: string): Promise<ReadonlyMap<string, number>>;
}

export function createNotificationDocuments(store: Store): NotificationDocuments {
  return {
    read: async (environment, name) => {
      const document = await store.get(collection, keyOf(environment, name));
      return document && notificationRecord.safeParse(document.value).data;
    },
    list: async (environment) =>
      (await store.list(collection, `${environment}/`)).flatMap(({ value }) => notificationRecord.safeParse(value).data ?? []),
    write: async (record) => {
      const { environment, name } = record;
      await store.transact([{ operation: 'put', collection, key: keyOf(environment, name), value: record as unknown as Json }]);
    },
    remove: async (environment, name, writes) => {
      const key = keyOf(environment, name);
      await store.transact([{ operation: 'delete', collection, key }, { operation: 'delete', collection: delivered, key }, ...writes]);
    },
    delivery: (environment, name, at) => ({ operation: 'put', collection: delivered, key: keyOf(environment, name), value: { at } }),
    deliveries: async (environment) => {
      const documents = await store.list(delivered, `${environment}/`);
      return new Map(documents.map(({ key, value }) => [key.slice(environment.length + 1), (value as { at: number }).at]));
    },
  };
}

function keyOf(environment: string, name: string): string {
  return `${environment}/${name}`;
}
