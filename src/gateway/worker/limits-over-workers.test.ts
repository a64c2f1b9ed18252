import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { createGatewayProcesses, type GatewayProcesses } from '../testing/gateway-processes.ts';
import { ask } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';

let gateway: GatewayProcesses;
let running: ServerResponse[] = [];
let most = 0;

beforeAll(async () => {
  gateway = await createGatewayProcesses(
    (_req, res) => {
      running.push(res);
      most = Math.max(most, running.length);
    },
    { workers: 3 },
  );
  await gateway.start();
});
beforeEach(() => {
  running = [];
  most = 0;
});
afterAll(() => gateway.remove());

test.each([1, 4])('%i requests at a time run over all workers together, and all that wait get their turn', async (concurrency) => {
  const limits = { concurrency, queue: 100, queueMs: 20_000, priority: 'normal' as const };
  await gateway.route({ limits, backends: [backend('r1', 1, { a: gateway.upstreamPort })] });
  const asked = Array.from({ length: 40 }, () => ask(gateway.publicPort));
  for (let ended = 0; ended < 40; ended += 1) {
    await until('a request to run', () => running.length > 0);
    running.shift()?.end('ok');
  }
  expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
  expect(most).toBeLessThanOrEqual(concurrency);
  expect(most).toBeGreaterThan(concurrency - 2);
});

test('no more wait than the queue of the service holds, over all workers together, and every place is used', async () => {
  const limits = { concurrency: 1, queue: 4, queueMs: 20_000, priority: 'normal' as const };
  await gateway.route({ limits, backends: [backend('r1', 1, { a: gateway.upstreamPort })] });
  for (let round = 0; round < 2; round += 1) {
    const statuses: number[] = [];
    const asked = Array.from({ length: 15 }, async () => statuses.push((await ask(gateway.publicPort)).status));
    await until('ten to be refused', () => statuses.length === 10);
    expect(new Set(statuses)).toEqual(new Set([503]));
    for (let ended = 0; ended < 5; ended += 1) {
      await until('a request to run', () => running.length > 0);
      running.shift()?.end('ok');
    }
    await Promise.all(asked);
    expect(statuses.slice(10)).toEqual([200, 200, 200, 200, 200]);
  }
  expect(most).toBe(1);
});

test('a limit that was taken away and comes back holds over all workers again', async () => {
  const limits = { concurrency: 1, queue: 9, queueMs: 20_000, priority: 'normal' as const };
  const backends = [backend('r1', 1, { a: gateway.upstreamPort })];
  for (let round = 0; round < 4; round += 1) {
    await gateway.route({ limits, backends });
    const asked = Array.from({ length: 9 }, () => ask(gateway.publicPort));
    for (let ended = 0; ended < 9; ended += 1) {
      await until('a request to run', () => running.length > 0);
      running.shift()?.end('ok');
    }
    expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
    await gateway.route({ backends });
  }
  expect(most).toBe(1);
});

test('a service without a queue has every permit used, whichever worker holds it', async () => {
  const limits = { concurrency: 2, queue: 0, queueMs: 0, priority: 'normal' as const };
  await gateway.route({ limits, backends: [backend('r1', 1, { a: gateway.upstreamPort })] });
  for (let round = 0; round < 4; round += 1) {
    const pair = [ask(gateway.publicPort), ask(gateway.publicPort)];
    await until('both to run', () => running.length === 2);
    expect((await ask(gateway.publicPort)).status).toBe(503);
    for (const res of running.splice(0)) res.end('ok');
    expect((await Promise.all(pair)).map(({ status }) => status)).toEqual([200, 200]);
  }
});

test('a rate holds over all workers together', async () => {
  const rule = { key: { by: 'header', name: 'x-key' }, requests: 20, perMs: 1_000, burst: 2 } as const;
  await gateway.route({ rateLimits: [rule], backends: [backend('r1', 1, { a: gateway.upstreamPort })] });
  const answering = setInterval(() => {
    for (const res of running.splice(0)) res.end('ok');
  }, 1);
  const begun = performance.now();
  let passed = 0;
  // Each request has a connection of its own, so that all workers get some.
  const client = async (): Promise<void> => {
    while (performance.now() - begun < 2_000) {
      if ((await ask(gateway.publicPort, { headers: { 'x-key': 'k' } })).status === 200) passed += 1;
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  clearInterval(answering);
  const seconds = (performance.now() - begun) / 1_000;
  expect(passed).toBeGreaterThan(20);
  // What three workers let through at once at the beginning is taken off later.
  expect(passed).toBeLessThanOrEqual(20 * seconds + 3 * 2);
});
