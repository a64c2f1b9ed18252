import { get } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import type { ReleaseCounts } from '../measuring/counts.ts';
import { quantile } from '../measuring/sketch.ts';
import { ask } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';

const rounds = Array.from({ length: 20 }, (_each, index) => 20 + index * 5);

interface Times {
  readonly first: number;
  readonly total: number;
}

/** As the client sees it. */
function timed(port: number, headers: Record<string, string>): Promise<Times> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    get({ host: '127.0.0.1', port, headers, agent: false }, (res) => {
      const first = performance.now() - began;
      res.resume().on('end', () => resolve({ first, total: performance.now() - began }));
    }).on('error', reject);
  });
}

export function describeTelling(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  beforeEach(async () => {
    gateway = await kind.create();
  });
  afterEach(() => gateway.close());

  const told = (release: string, requests: number): Promise<ReleaseCounts> =>
    until(`${requests} requests of ${release} to be told`, async () => {
      const found = (await gateway.counts()).find((each) => each.release === release);
      return found?.requests === requests && found.total.count === requests ? found : undefined;
    });
  test('latencies lie between what the instance and what the client has seen, however a service is served', async () => {
    const done: Times[] = [];
    const { port } = await gateway.serve((req, res) => {
      const began = performance.now();
      const pauseMs = Number(req.headers['x-pause']);
      setTimeout(() => {
        // Before it is sent: what is sent can be there before this process goes on.
        const first = performance.now() - began;
        res.flushHeaders();
        setTimeout(() => {
          done.push({ first, total: performance.now() - began });
          res.end('whole');
        }, pauseMs);
      }, pauseMs);
    });
    const limits = { concurrency: 100, queue: 10, queueMs: 1_000, priority: 'normal' as const };
    await gateway.route(
      { name: 'plain', backends: [backend('plain-1', 1, { a: port })] },
      { name: 'limited', expose: [{ host: 'limited.test', path: '/' }], limits, backends: [backend('limited-1', 1, { b: port })] },
    );
    for (const [host, release] of [
      ['app.test', 'plain-1'],
      ['limited.test', 'limited-1'],
    ] as const) {
      done.length = 0;
      const seen = await Promise.all(rounds.map((each) => timed(gateway.publicPort, { host, 'x-pause': String(each) })));
      const { total, firstByte, statuses } = await told(release, rounds.length);
      expect(statuses).toMatchObject({ '2xx': rounds.length });
      for (const q of [0.5, 0.95, 0.99]) {
        const at = (times: readonly number[]): number =>
          times.toSorted((one, other) => one - other)[Math.floor(q * (rounds.length - 1))] as number;
        for (const [sketch, of] of [
          [firstByte, 'first'],
          [total, 'total'],
        ] as const) {
          expect(quantile(sketch, q)).toBeGreaterThan(at(done.map((each) => each[of])) * 0.99 - 1);
          expect(quantile(sketch, q)).toBeLessThan(at(seen.map((each) => each[of])) * 1.01 + 1);
        }
      }
    }
  });

  test('what failed is counted by its class and has a latency, but no first byte', async () => {
    const { port, server } = await gateway.serve((_req, res) => {
      res.statusCode = 500;
      res.end();
    });
    await gateway.route({ backends: [backend('r1', 1, { a: port })] });
    expect((await ask(gateway.publicPort)).status).toBe(500);
    expect(await told('r1', 1)).toMatchObject({ errors: 1, statuses: { '5xx': 1 }, firstByte: { count: 1 } });
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
    expect((await ask(gateway.publicPort)).status).toBe(502);
    expect(await told('r1', 2)).toMatchObject({ errors: 2, endings: { answered: 1, failed: 1 }, firstByte: { count: 1 } });
  });
}
