import { describe, expect, it } from 'vitest';
import type { CreateRequest, Operation } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import { loadStackText } from '../stack/load.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createNotificationDocuments } from './notification-documents.ts';
import { createNotificationProvider } from './notification-provider.ts';
import { parseNetworks } from '../effects/networks.ts';
import { createOutbox } from './outbox.ts';
import { waitingMessage } from './testdata/messages.ts';

const operation: Operation = { id: 'operation-1', signal: new AbortController().signal, progress: () => undefined };

function provided() {
  const store = createMemoryStore();
  const [documents, outbox] = [createNotificationDocuments(store), createOutbox(store)];
  const networks = parseNetworks('public') ?? { allows: () => false };
  return { store, documents, outbox, provider: createNotificationProvider({ documents, outbox, networks }) };
}

const request = (name: string, declared: object): CreateRequest => ({
  address: `test/notification/${name}`,
  environment: 'test',
  kind: 'notification',
  name,
  fields: { ...declared, secret: 'opened' },
  declared: { name, ...declared },
  fingerprint: {},
  root: '/',
  references: new Map(),
});
const declared = { url: '${secret.url}', format: 'json', secret: '${secret.key}', on: ['failed'] };

describe('a notification as a resource', () => {
  it('keeps what was declared and never a secret, sees what differs, and can be applied again', async () => {
    const { provider, documents, store } = provided();
    const wanted = request('team', declared);
    const resource = { ...wanted, declared: wanted.declared } as unknown as ResourceState;
    expect(await provider.read(resource)).toEqual({ status: 'absent' });
    await provider.create(wanted, operation);
    await provider.create(wanted, operation);
    expect(await documents.read('test', 'team')).toMatchObject({ url: '${secret.url}', secret: '${secret.key}' });
    expect(JSON.stringify(await store.list('notifications'))).not.toContain('opened');
    expect(await provider.read(resource)).toEqual({ status: 'present', drift: [] });
    const changed = request('team', { ...declared, on: ['held'] });
    await provider.update({ ...changed, current: resource }, operation);
    expect(await provider.read(resource)).toEqual({ status: 'present', drift: [{ field: 'on', applied: ['failed'], observed: ['held'] }] });
  });

  it('takes what waits for it with it, and nothing else', async () => {
    const { provider, documents, outbox, store } = provided();
    for (const name of ['team', 'other']) await provider.create(request(name, declared), operation);
    const given = { ...waitingMessage('test', 'team', 2), attempts: 1, dueAt: 0, diedAt: 0, reason: 'it answered 410' };
    await store.transact([
      ...[waitingMessage('test', 'team'), waitingMessage('test', 'other'), waitingMessage('production', 'team', 3)].map((each) =>
        outbox.entry(each),
      ),
      { operation: 'put', collection: 'outbox-dead', key: given.id, value: JSON.parse(JSON.stringify(given)) },
    ]);
    const resource = request('team', declared) as unknown as ResourceState;
    await provider.delete(resource, operation);
    await provider.delete(resource, operation);
    expect((await documents.list('test')).map(({ name }) => name)).toEqual(['other']);
    expect((await outbox.list()).map(({ message }) => message.id)).toEqual(['msg-other0001', 'msg-team0003']);
    expect(await outbox.dead()).toEqual([]);
  });

  it('is refused at plan time for an address it may not be sent to, and noted when it is not signed', async () => {
    const { provider } = provided();
    const loaded = loadStackText(
      'notification:\n  - { name: a, url: "http://169.254.169.254/latest" }\n  - { name: b, url: "http://127.0.0.1:1/", format: slack }\n',
    );
    if (!loaded.ok) throw new Error('the stack should be valid');
    const found = await provider.check(loaded.value);
    expect(found.map(({ code, severity, position }) => [code, severity, position?.line])).toEqual([
      ['webhook_url_refused', 'error', 2],
      ['notification_unsigned', 'note', 2],
      ['webhook_url_refused', 'error', 3],
    ]);
  });
});
