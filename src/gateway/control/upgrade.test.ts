import { createServer, type Server } from 'node:http';
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { gatewayFiles } from '../gateway-files.ts';
import { createGatewayHome, type GatewayHome } from '../testing/gateway-home.ts';
import { createLoad } from '../testing/load.ts';
import { backend, listening, routeOf } from '../testing/rig.ts';

let home: GatewayHome;
let upstream: Server;
let port = 0;

beforeEach(async () => {
  home = await createGatewayHome();
  upstream = createServer((_req, res) => res.end('answer'));
  port = await listening(upstream);
});
afterEach(async () => {
  await home.remove();
  upstream.close();
  upstream.closeAllConnections();
});

const route = () => routeOf({ backends: [backend('r1', 1, { a: port })] });
const portOf = (url: string): number => Number(new URL(url).port);

test('a control plane that finds a gateway of another version replaces it, and no request fails', async () => {
  const first = home.control();
  await first.start();
  await first.publish(route());
  first.leave();
  const before = await home.process();
  const { process: record } = gatewayFiles(home.folder);
  await writeFile(record, JSON.stringify({ ...JSON.parse(await readFile(record, 'utf8')), version: '0.0.1' }));
  const load = createLoad(portOf(await first.publicUrl('test')), { clients: 4 });
  await until('load', () => load.answered() > 20);

  const second = home.control();
  await second.start();
  expect((await home.process()).pid).not.toBe(before.pid);
  await second.publish(route());
  await until('the old one to end', () => !isAlive(before));
  const answered = load.answered();
  await until('load after', () => load.answered() > answered + 20);
  expect(await load.stop()).toEqual([]);
  await second.stop();
});

test('an upgrade that is asked for replaces the processes, and the routes can be changed right after', async () => {
  const control = home.control();
  await control.start();
  await control.publish(route());
  const before = await home.process();
  const { internalUrl, publicUrls } = await control.status();
  await control.upgrade();
  await control.publish(routeOf({ ...route(), backends: [backend('r2', 1, { a: port })] }));
  expect((await home.process()).pid).not.toBe(before.pid);
  expect(await control.status()).toMatchObject({ internalUrl, publicUrls, services: [{ instances: [{ release: 'r2' }] }] });
  await control.stop();
});
