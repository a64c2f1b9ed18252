import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { GatewayView } from '../api/schemas/gateway.ts';
import { createGatewayDesk } from '../control-plane/gateway-desk.ts';
import { systemClock } from '../effects/clock.ts';
import { createGatewayHome, type GatewayHome } from '../gateway/testing/gateway-home.ts';
import { ask } from '../gateway/testing/raw-client.ts';
import { backend, listening, routeOf } from '../gateway/testing/rig.ts';
import { until } from '../testing/conditions.ts';
import { controlPlaneFixture } from './testdata/control-plane-fixture.ts';

let home: GatewayHome;
let upstream: Server;
let port = 0;
beforeEach(async () => {
  home = await createGatewayHome();
  upstream = createServer((req, res) => {
    res.statusCode = req.url === '/broken' ? 500 : 200;
    res.end('x'.repeat(2_000));
  });
  port = await listening(upstream);
});
afterEach(async () => {
  await home.remove();
  upstream.close();
  upstream.closeAllConnections();
});

test('gateway status tells what a gateway process has done, and no counter survives that process', async () => {
  const control = home.control();
  await control.start();
  await control.publish(routeOf({ backends: [backend('r1', 9, { a: port }), backend('r2', 1, { b: port })] }));
  const cli = await controlPlaneFixture((fixture) => ({
    gatewayDesk: createGatewayDesk({ gateway: control, store: { list: (...query) => fixture().store.list(...query) }, clock: systemClock }),
  }));
  const status = async (): Promise<GatewayView> => JSON.parse((await cli.sluice('gateway', 'status', '--json')).stdout) as GatewayView;

  const url = new URL(await control.publicUrl('test'));
  for (let count = 0; count < 40; count += 1) await ask(Number(url.port), { path: count % 4 === 0 ? '/broken' : '/' });
  const view = await until('all requests are told of', async () => {
    const told = await status();
    return told.releases.reduce((sum, { requests }) => sum + requests, 0) === 40 ? told : undefined;
  });
  expect(view.releases.map(({ release }) => release).toSorted()).toEqual(['r1', 'r2']);
  expect(view.releases.reduce((sum, { errors }) => sum + errors, 0)).toBe(10);
  const [busiest] = view.releases.toSorted((left, right) => right.requests - left.requests);
  expect(busiest).toMatchObject({ environment: 'test', service: 'app', release: 'r1', inFlight: 0 });
  expect(busiest?.p95).toBeGreaterThan(0);
  expect(busiest?.bytesOutPerSecond).toBeGreaterThan(0);
  expect((await cli.sluice('gateway', 'status')).stdout).toMatch(/\napp {6}test {9}r1 /);

  const before = await home.process();
  const upgrade = await cli.sluice('gateway', 'upgrade', '--json');
  const { pid } = await home.process();
  expect(JSON.parse(upgrade.stdout)).toMatchObject({ pid, replaced: before.pid });
  expect(pid).not.toBe(before.pid);
  expect((await ask(Number(url.port))).status).toBe(200);

  const { epoch } = await control.counts();
  process.kill(pid, 'SIGKILL');
  const next = await until('the next gateway counts', () =>
    control.counts().then(
      (counts) => (counts.epoch === epoch ? undefined : counts),
      () => undefined,
    ),
  );
  expect(next.releases.reduce((sum, { requests }) => sum + requests, 0)).toBe(0);
});
