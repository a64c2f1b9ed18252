import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { describeWith } from '../../testing/requires.ts';
import type { GatewayReport } from '../admin/gateway-report.ts';
import { createGatewayProcesses, type GatewayProcesses } from '../testing/gateway-processes.ts';
import { createLoad } from '../testing/load.ts';
import { ask } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import { haproxyOf } from './left-behind.ts';

describeWith('haproxy', 'a gateway whose engine is changed', () => {
  let gateway: GatewayProcesses;
  beforeEach(async () => {
    gateway = await createGatewayProcesses((_req, res) => void res.end('ok'));
    await gateway.start();
    await gateway.route();
  });
  afterEach(() => gateway.remove());

  const serving = (engine: GatewayReport['engine']): Promise<GatewayReport> =>
    until(`${engine} to serve`, async () => {
      const report = await (await gateway.admin()).report().catch(() => undefined);
      return report !== undefined && report.engine === engine && !report.stopping ? report : undefined;
    });

  test('goes from one to the other and back under load, and no request fails', async () => {
    const first = await serving('embedded');
    const load = createLoad(gateway.publicPort);
    await until('load', () => load.answered() > 50);
    await gateway.setEngine('haproxy');
    const second = await serving('haproxy');
    expect(second).toMatchObject({ tableVersion: 2, internalUrl: first.internalUrl, listeners: first.listeners, warnings: [] });
    const between = load.answered();
    await until('load by HAProxy', () => load.answered() > between + 50);
    await gateway.setEngine('embedded');
    await serving('embedded');
    const after = load.answered();
    await until('load after', () => load.answered() > after + 50);
    expect(await load.stop()).toEqual([]);
    await until('HAProxy to have ended', async () => (await haproxyOf(gateway.folder)) === undefined);
  });

  test('is served by the embedded engine when HAProxy cannot do what the table asks, and says so', async () => {
    await gateway.setEngine('haproxy');
    await serving('haproxy');
    const backends = [backend('r1', 1, { a: gateway.upstreamPort })];
    await gateway.route({ backends, mirror: { release: 'r1', percent: 1, bodyBytes: 10 } });
    const { warnings } = await serving('embedded');
    expect(warnings).toMatchObject([expect.stringMatching(/gateway\.engine is haproxy.*mirrors requests/)]);
    expect((await ask(gateway.publicPort)).body).toBe('ok');
  });

  test('is served by HAProxy again after a kill of everything, from its snapshot', async () => {
    await gateway.setEngine('haproxy');
    const { pid } = await serving('haproxy');
    const main = await gateway.main();
    const haproxy = await until('HAProxy to be on record', () => haproxyOf(gateway.folder));
    process.kill(pid, 'SIGKILL');
    await until('it to be gone', () => !isAlive(main));
    // It goes on without its main process.
    expect((await ask(gateway.publicPort)).body).toBe('ok');
    await gateway.start();
    expect((await serving('haproxy')).tableVersion).toBe(2);
    expect((await ask(gateway.publicPort)).body).toBe('ok');
    await until('the one of before to end', () => !isAlive(haproxy));
  });
});
