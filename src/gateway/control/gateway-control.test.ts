import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { readFile, stat } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { createGatewayHome, type GatewayHome } from '../testing/gateway-home.ts';
import { ask } from '../testing/raw-client.ts';
import { backend, listening, routeOf, token, tokenDigest } from '../testing/rig.ts';

let rig: GatewayHome;
let upstream: Server;
let port = 0;

beforeEach(async () => {
  rig = await createGatewayHome();
  upstream = createServer((req, res) => res.end(`answer ${req.url}`));
  port = await listening(upstream);
});
afterEach(async () => {
  await rig.remove();
  upstream.close();
  upstream.closeAllConnections();
});

const route = () => routeOf({ backends: [backend('r1', 1, { a: port })], calls: ['app'] });
const portOf = (url: string): number => Number(new URL(url).port);

test('publishes routes to a gateway of its own process, and reports them', async () => {
  const control = rig.control();
  await control.start();
  await control.publish(route());
  const url = await control.publicUrl('test');
  expect((await ask(portOf(url), { path: '/x' })).body).toBe('answer /x');
  const internal = portOf(await control.internalUrl());
  expect((await ask(internal, { path: '/app/y', headers: { 'x-sluice-token': token('app') } })).body).toBe('answer /y');
  const gateway = await rig.process();
  const { pid } = gateway;
  expect(pid).not.toBe(process.pid);
  expect(await control.status()).toMatchObject({
    pid,
    publicUrls: { test: url },
    internalUrl: await control.internalUrl(),
    services: [{ environment: 'test', name: 'app', inFlight: 0, instances: [{ id: 'a', release: 'r1', state: 'active', healthy: true }] }],
  });
  expect(await control.inFlight({ environment: 'test', name: 'app' })).toEqual(new Map([['a', 0]]));
  await control.remove({ environment: 'test', name: 'app' });
  await expect(ask(portOf(url))).rejects.toThrow('ECONNREFUSED');
  await control.stop();
  expect(isAlive(gateway)).toBe(false);
});

test('is asked as a tester asks: for one release under the host of all, or under one of its own', async () => {
  // It knows no other host than that of all, as many do.
  const candidate = createServer((req, res) => {
    if (req.url === '/check') res.writeHead(req.headers.host === 'app.test' ? 200 : 403).end();
  });
  const candidatePort = await listening(candidate);
  const control = rig.control();
  await control.start();
  const { expose, ...rest } = routeOf({ backends: [backend('r2', 0, { b: candidatePort }), backend('r1', 1, { a: port })] });
  const preview = { host: 'preview.test', path: '/', release: 'r2' };
  await control.publish({ ...rest, expose: [...expose, preview], split: { salt: 's', overrideHeader: 'x-sluice-release' } });
  const asked = (host: string, { headers = {}, path = '/check', timeoutMs = 5_000 } = {}) =>
    control.ask({ environment: 'test', name: 'app' }, { host, headers }, { path, timeoutMs });
  const headers = { 'x-sluice-release': 'r2' };
  expect([await asked('app.test', { headers }), await asked(preview.host), await asked('app.test', { path: '/x' })]).toEqual([
    { ready: true },
    { ready: false, reason: '/check answered 403' },
    { ready: true },
  ]);
  const late = await asked('app.test', { headers, path: '/never', timeoutMs: 150 });
  expect(late).toEqual({ ready: false, reason: '/never did not answer within 150 ms' });
  // What the gateway refuses by itself is asked again until its time is up.
  const later = asked('later.test');
  await control.publish({ ...rest, expose: [{ host: 'later.test', path: '/' }] });
  expect([await later, await asked('nowhere.test', { timeoutMs: 50 })]).toEqual([
    { ready: true },
    { ready: false, reason: '/check answered 404 (gateway_route_unknown)' },
  ]);
  await control.stop();
  await expect(asked('app.test')).rejects.toMatchObject({ code: 'gateway_unreachable' });
  candidate.close();
  candidate.closeAllConnections();
});

test('many publications at once are all in force when they resolve', async () => {
  const control = rig.control();
  await control.start();
  const names = Array.from({ length: 12 }, (_each, index) => `s${index}`);
  await Promise.all(
    names.map(async (name) => {
      await control.publish(
        routeOf({ name, expose: [{ host: `${name}.test`, path: '/' }], backends: [backend('r1', 1, { [name]: port })] }),
      );
      const answer = await ask(portOf(await control.publicUrl('test')), { headers: { host: `${name}.test` } });
      expect(answer.status).toBe(200);
    }),
  );
  expect((await control.status()).services).toHaveLength(12);
});

test('a gateway that is killed comes back on the same ports with the same routes', async () => {
  const control = rig.control();
  await control.start();
  await control.publish(route());
  const before = await rig.process();
  const { tableVersion, publicUrls, internalUrl } = await control.status();
  process.kill(before.pid, 'SIGKILL');
  await until('a request to succeed again', async () => {
    const answer = await ask(portOf(publicUrls['test'] as string)).catch(() => undefined);
    return answer?.status === 200 && (await rig.process()).pid !== before.pid;
  });
  expect(await control.status()).toMatchObject({ tableVersion, publicUrls, internalUrl });
  await until('the events', async () => {
    const types = (await rig.events()).map((event) => event.type);
    return types.join(' ') === 'gateway.started gateway.exited gateway.started';
  });
});

test('a publication during the restart waits for it and is then in force', async () => {
  const control = rig.control();
  await control.start();
  process.kill((await rig.process()).pid, 'SIGKILL');
  await control.publish(route());
  expect((await ask(portOf(await control.publicUrl('test')))).status).toBe(200);
});

test('without its control plane the gateway serves on; a new control plane adopts it', async () => {
  const first = rig.control();
  await first.start();
  await first.publish(route());
  first.leave();
  const before = await rig.process();
  const url = await first.publicUrl('test');
  expect((await ask(portOf(url))).status).toBe(200);
  await expect(first.publish(route())).rejects.toMatchObject({ code: 'gateway_unreachable', retry: 'retry' });

  const second = rig.control();
  await second.start();
  expect(await rig.process()).toEqual(before);
  expect(await second.publicUrl('test')).toBe(url);
  await second.publish(routeOf({ ...route(), backends: [] }));
  expect((await ask(portOf(url))).status).toBe(503);
  process.kill(before.pid, 'SIGKILL');
  await until('the adopted gateway to be replaced', async () => (await rig.process()).pid !== before.pid);
  await second.stop();
});

test('the kill of the control plane is noticed by no request', async () => {
  const script = fileURLToPath(new URL('../testing/control-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, rig.home, JSON.stringify(route())], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = line.toString().trim();
  const done = new AbortController();
  const seen: Record<number, number> = {};
  const client = (async () => {
    while (!done.signal.aborted) {
      const { status } = await ask(portOf(url));
      seen[status] = (seen[status] ?? 0) + 1;
    }
  })();
  await until('requests before', () => (seen[200] ?? 0) > 20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const before = seen[200] ?? 0;
  await until('requests after', () => (seen[200] ?? 0) > before + 50);
  done.abort();
  await client;
  expect(Object.keys(seen)).toEqual(['200']);
});

test('a gateway that knows a newer table than the store is told the store’s, with a newer version', async () => {
  const first = rig.control();
  await first.start();
  for (let index = 0; index < 5; index += 1) await first.publish(routeOf({ ...route(), backends: [backend(`r${index}`, 1, { a: port })] }));
  first.leave();
  const { version } = JSON.parse(await readFile(join(rig.folder, 'table.json'), 'utf8')) as { version: number };
  await rig.store.transact([{ operation: 'put', collection: 'routing', key: 'table', value: { version: 1 } }]);
  const second = rig.control();
  await second.start();
  expect((await second.status()).tableVersion).toBe(version + 1);
});

test('an environment whose port another program took moves to a free one and says so', async () => {
  const control = rig.control();
  const before = await control.publicUrl('test');
  const thief = createPlainServer();
  await new Promise<void>((resolve) => {
    thief.listen(portOf(before), '127.0.0.1', resolve);
  });
  await control.start();
  await control.publish(route());
  const after = await control.publicUrl('test');
  expect(after).not.toBe(before);
  expect((await ask(portOf(after))).status).toBe(200);
  expect((await rig.events()).filter((event) => event.level === 'warning')).toMatchObject([{ environment: 'test' }]);
  thief.close();
});

test('stop ends the process and frees its ports; the next start has them again', async () => {
  const control = rig.control();
  await control.start();
  await control.publish(route());
  const { publicUrls, internalUrl } = await control.status();
  const gateway = await rig.process();
  await control.stop();
  expect(isAlive(gateway)).toBe(false);
  await expect(control.status()).rejects.toMatchObject({ code: 'gateway_unreachable' });
  await control.start();
  expect(await control.status()).toMatchObject({ publicUrls, internalUrl });
  await control.stop();
});

test('nothing the gateway writes contains a token, and its secrets are readable by the owner only', async () => {
  const control = rig.control();
  await control.start();
  await control.publish(route());
  const internal = portOf(await control.internalUrl());
  await ask(internal, { path: '/app/', headers: { 'x-sluice-token': token('app') } });
  const written = await Promise.all(
    ['table.json', 'gateway.log', 'gateway.out', 'process.json'].map((name) => readFile(join(rig.folder, name), 'utf8')),
  );
  expect(written.join()).not.toContain(token('app'));
  expect(written[0]).toContain(tokenDigest('app'));
  const admin = await readFile(join(rig.folder, 'admin.token'), 'utf8');
  expect(written.join()).not.toContain(admin);
  for (const name of ['admin.token', 'table.json', 'gateway.log']) expect((await stat(join(rig.folder, name))).mode & 0o077).toBe(0);
  expect((await stat(rig.folder)).mode & 0o077).toBe(0);
});
