import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeDurably } from '../../effects/files.ts';
import { testPort } from '../../testing/test-port.ts';
import { until } from '../../testing/conditions.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { settingsOf } from '../gateway-folder.ts';
import { createGatewayHome, type GatewayHome } from '../testing/gateway-home.ts';
import { ask } from '../testing/raw-client.ts';
import { backend, listening, routeOf, token } from '../testing/rig.ts';

let homes: GatewayHome[] = [];
let servers: Server[] = [];
let port = 0;

beforeEach(async () => {
  const upstream = createServer((_req, res) => res.end('answer'));
  port = await listening(upstream);
  servers = [upstream];
});
afterEach(async () => {
  await Promise.all(homes.map((home) => home.remove()));
  homes = [];
  for (const server of servers) server.close().closeAllConnections();
});

const route = () => routeOf({ backends: [backend('r1', 1, { a: port })], calls: ['app'] });
const portOf = (url: string): number => Number(new URL(url).port);
const callsOthers = async (internalUrl: string): Promise<string> =>
  (await ask(portOf(internalUrl), { path: '/app/', headers: { 'x-sluice-token': token('app') } })).body;

async function newHome(): Promise<GatewayHome> {
  const home = await createGatewayHome();
  homes.push(home);
  return home;
}

async function take(url: string): Promise<Server> {
  const thief = createServer((_req, res) => res.end('thief'));
  servers.push(thief);
  await once(thief.listen(portOf(url), '127.0.0.1'), 'listening');
  return thief;
}

/** A home whose gateway has served `route` and was stopped. */
async function stoppedHome(): Promise<{ home: GatewayHome; internalUrl: string; publicUrl: string }> {
  const home = await newHome();
  const control = home.control();
  await control.start();
  await control.publish(route());
  const [internalUrl, publicUrl] = [await control.internalUrl(), await control.publicUrl('test')];
  await control.stop();
  return { home, internalUrl, publicUrl };
}

test('when another program took its ports and no instance runs, it takes others for good and says so', async () => {
  const { home, internalUrl, publicUrl } = await stoppedHome();
  await take(internalUrl);
  await take(publicUrl);
  const control = home.control();
  await control.start();
  const moved = await control.internalUrl();
  expect(moved).not.toBe(internalUrl);
  expect(await callsOthers(moved)).toBe('answer');
  expect((await ask(portOf(await control.publicUrl('test')))).body).toBe('answer');
  const warnings = (await home.events()).filter(({ level }) => level === 'warning').map(({ message }) => message);
  expect(warnings).toEqual([
    `Port ${portOf(internalUrl)} is taken by another program: services call each other at ${moved} now.`,
    `Port ${portOf(publicUrl)} is taken by another program: environment 'test' now answers at ${await control.publicUrl('test')}.`,
  ]);
  expect((await settingsOf(home.folder)).internal.port).toBe(portOf(moved));
});

test('while instances that know the old address run, it waits for the port, tells why, and then serves them', async () => {
  const { home, internalUrl } = await stoppedHome();
  const thief = await take(internalUrl);
  home.setInstancesRun(true);
  const control = home.control();
  await control.start();
  expect(control.outage()).toContain(`cannot listen on ${new URL(internalUrl).host}`);
  const begun = performance.now();
  await expect(control.publish({ ...route(), expose: [] })).rejects.toMatchObject({ code: 'gateway_unreachable' });
  await control.remove({ environment: 'test', name: 'other' });
  expect(await control.inFlight({ environment: 'test', name: 'app' })).toEqual(new Map());
  expect(performance.now() - begun).toBeLessThan(5_000);
  await until('several attempts', () => performance.now() - begun > 1_200);
  expect((await home.events()).filter(({ type }) => type === 'gateway.exited')).toHaveLength(1);

  thief.close();
  thief.closeAllConnections();
  await until('it to serve', async () => (await callsOthers(internalUrl).catch(() => '')) === 'answer');
  await until('the end of the outage', () => control.outage() === undefined);
  expect(await control.internalUrl()).toBe(internalUrl);
});

test('as soon as the last of those instances has ended, it moves', async () => {
  const { home, internalUrl } = await stoppedHome();
  await take(internalUrl);
  home.setInstancesRun(true);
  const control = home.control();
  await control.start();
  expect(control.outage()).toBeDefined();
  home.setInstancesRun(false);
  await until('the end of the outage', () => control.outage() === undefined);
  const moved = await control.internalUrl();
  expect(moved).not.toBe(internalUrl);
  await until('it to serve', async () => (await callsOthers(moved).catch(() => '')) === 'answer');
});

test('an instance that is started during the wait is not given a port that nobody can have', async () => {
  const { home, internalUrl } = await stoppedHome();
  await take(internalUrl);
  home.setInstancesRun(true);
  const control = home.control();
  await control.start();
  expect(await control.internalUrl()).toBe(internalUrl);
  home.setInstancesRun(false);
  const [first, second] = await Promise.all([control.internalUrl(), control.internalUrl()]);
  expect([first === internalUrl, first === second, control.outage()]).toEqual([false, true, undefined]);
});

test('homes that were given the same port and start at the same moment all serve, each at its own', async () => {
  const contested = await testPort();
  const controls = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const home = await newHome();
      await writeDurably(gatewayFiles(home.folder).settings, JSON.stringify({ internal: { host: '127.0.0.1', port: contested } }));
      return home.control();
    }),
  );
  await Promise.all(controls.map((control) => control.start()));
  await Promise.all(controls.map((control) => control.publish(route())));
  const urls = await Promise.all(controls.map((control) => control.internalUrl()));
  expect(new Set(urls).size).toBe(3);
  expect(await Promise.all(urls.map(callsOthers))).toEqual(['answer', 'answer', 'answer']);
});
