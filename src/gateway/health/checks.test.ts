import { afterEach, beforeEach, expect, test } from 'vitest';
import { testPort } from '../../testing/test-port.ts';
import { until } from '../../testing/conditions.ts';
import { ask } from '../testing/raw-client.ts';
import { backend, createRig, type Rig } from '../testing/rig.ts';
import { probe } from './probe.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.close());

const health = { path: '/healthz', intervalMs: 20, timeoutMs: 200 };
const isHealthy = (id: string): boolean | undefined => rig.gateway.report().instances.find((instance) => instance.id === id)?.healthy;

test('an instance whose health path fails gets no requests until it passes again', async () => {
  let status = 200;
  let answered = 0;
  const sick = await rig.serve((req, res) => {
    if (req.url === '/healthz') res.writeHead(status).end();
    else res.end(`sick ${(answered += 1)}`);
  });
  const sound = await rig.serve((_req, res) => res.end('sound'));
  await rig.route({ health, backends: [backend('r1', 1, { sick: sick.port, sound: sound.port })] });
  status = 500;
  await until('it to be noticed', () => isHealthy('sick') === false);
  const before = answered;
  for (let index = 0; index < 20; index += 1) expect((await ask(rig.publicPort)).body).toBe('sound');
  expect(answered).toBe(before);
  status = 302;
  await until('it to be taken back', () => isHealthy('sick'));
  await until('it to be asked again', async () => (await ask(rig.publicPort)).body.startsWith('sick'));
});

test('an instance that dies is left out, and taken back when it listens again', async () => {
  const port = await testPort();
  const other = await rig.serve((_req, res) => res.end());
  await rig.route({ health: { intervalMs: 20, timeoutMs: 200 }, backends: [backend('r1', 1, { a: port, b: other.port })] });
  await until('it to be left out', () => isHealthy('a') === false);
  const { createServer } = await import('node:http');
  const late = createServer((_req, res) => res.end());
  late.listen(port, '127.0.0.1');
  expect(await until('it to be taken back', () => isHealthy('a'))).toBe(true);
  late.close();
  late.closeAllConnections();
});

test('draining and removed instances are not checked', async () => {
  let checks = 0;
  const upstream = await rig.serve((_req, res) => {
    checks += 1;
    res.end();
  });
  await rig.route({ health, backends: [backend('r1', 1, { a: upstream.port })] });
  await until('a few checks', () => checks > 2);
  await rig.route({ health, backends: [backend('r1', 1, { a: { port: upstream.port, draining: true } })] });
  const counter = await rig.serve((_req, res) => res.end());
  let others = 0;
  counter.server.on('request', () => {
    others += 1;
  });
  const before = checks;
  await rig.route({ health, backends: [backend('r1', 1, { a: { port: upstream.port, draining: true }, c: counter.port })] });
  await until('other checks', () => others > 3);
  expect(checks - before).toBeLessThanOrEqual(1);
});

test.each([
  [200, 'passed'],
  [302, 'passed'],
  [404, 'failed'],
  [500, 'failed'],
])('a probe that gets %i has %s', async (status, outcome) => {
  const { port } = await rig.serve((_req, res) => res.writeHead(status).end());
  expect(await probe({ host: '127.0.0.1', port, path: '/', timeoutMs: 1_000 })).toBe(outcome);
});

test('a probe ends within its time, whatever the instance does', async () => {
  const { port } = await rig.serve(() => {});
  expect(await probe({ host: '127.0.0.1', port, path: '/', timeoutMs: 50 })).toBe('failed');
  expect(await probe({ host: '127.0.0.1', port, timeoutMs: 50 })).toBe('passed');
  const nobody = await testPort();
  expect(await probe({ host: '127.0.0.1', port: nobody, path: '/', timeoutMs: 50 })).toBe('unreachable');
  expect(await probe({ host: '127.0.0.1', port: nobody, timeoutMs: 50 })).toBe('unreachable');
});
