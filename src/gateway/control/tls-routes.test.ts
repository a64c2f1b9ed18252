import { expect, test } from 'vitest';
import { createMemoryStore } from '../../store/memory-store.ts';
import { backend, routeOf } from '../testing/rig.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { createRouteStore } from './route-store.ts';

const route = (environment: string, host: string) =>
  routeOf({
    name: host.replace('.', '-'),
    environment,
    expose: [{ host, path: '/' }],
    tokenDigests: [],
    backends: [backend('r1', 1, { a: 1 })],
  });

const acme = { directoryUrl: 'https://authority.test/' };
const settings = (tls: Partial<NonNullable<ListenerSettings['tls']>> = {}): ListenerSettings => ({
  tls: { certificates: [], acme, redirect: true, ...tls },
});

test('the port of HTTPS is chosen once and kept, also while there is none', async () => {
  const routes = createRouteStore(createMemoryStore());
  await routes.put(route('one', 'a.test'));
  await routes.configure('one', settings());
  const chosen = (await routes.listener('one')).tls?.port ?? 0;
  expect(chosen).toBeGreaterThanOrEqual(7_443);
  await routes.configure('one', undefined);
  expect((await routes.table()).listeners[0]?.tls).toBeUndefined();
  await routes.configure('one', settings());
  expect((await routes.listener('one')).tls?.port).toBe(chosen);
  const moved = await routes.moveTlsListener('one');
  expect(moved).not.toBe(chosen);
  expect((await routes.listener('one')).tls?.port).toBe(moved);
});

test('a port that the stack gives is taken as it is, never moved, and not shared', async () => {
  const routes = createRouteStore(createMemoryStore());
  await routes.put(route('one', 'a.test'));
  await routes.put(route('two', 'b.test'));
  await routes.configure('one', settings({ port: 8_443 }));
  expect((await routes.listener('one')).tls?.port).toBe(8_443);
  expect(await routes.moveTlsListener('one')).toBeUndefined();
  await expect(routes.configure('two', settings({ port: 8_443 }))).rejects.toMatchObject({ code: 'gateway_table_invalid' });
  expect(await routes.settings('two')).toBeUndefined();
});

test('automatic certificates are for all exposed hosts of the environment unless it says which', async () => {
  const routes = createRouteStore(createMemoryStore());
  for (const host of ['b.test', 'a.test']) await routes.put(route('one', host));
  await routes.put(route('two', 'c.test'));
  await routes.configure('one', settings());
  const hosts = async () => (await routes.table()).listeners.find(({ environment }) => environment === 'one')?.tls?.acme?.hosts;
  expect(await hosts()).toEqual(['a.test', 'b.test']);
  await routes.configure('one', settings({ acme: { ...acme, hosts: ['x.test'] } }));
  expect(await hosts()).toEqual(['x.test']);
});
