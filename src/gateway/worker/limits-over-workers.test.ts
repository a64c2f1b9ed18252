import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { createGatewayProcesses, type GatewayProcesses } from '../testing/gateway-processes.ts';
import { ask } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';

let gateway: GatewayProcesses;
let running: ServerResponse[] = [];
let most = 0;

beforeEach(async () => {
  running = [];
  most = 0;
  gateway = await createGatewayProcesses(
    (_req, res) => {
      running.push(res);
      most = Math.max(most, running.length);
    },
    { workers: 3 },
  );
  await gateway.start();
});
afterEach(() => gateway.remove());

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
