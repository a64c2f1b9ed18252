import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { describeWith } from '../../testing/requires.ts';
import type { GatewayReport } from '../admin/gateway-report.ts';
import { createGatewayProcesses, type GatewayProcesses } from '../testing/gateway-processes.ts';
import { createLoad } from '../testing/load.ts';
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

  test('serves by HAProxy what HAProxy alone cannot do, loses nothing when that changes, and counts both ways together', async () => {
    await gateway.setEngine('haproxy');
    await serving('haproxy');
    const load = createLoad(gateway.publicPort);
    const backends = [backend('r1', 1, { a: gateway.upstreamPort })];
    const evidence = { id: 'e', latencyThresholdsMs: [] };
    for (let round = 0; round < 3; round += 1) {
      for (const more of [{ evidence, mirror: { release: 'r1', percent: 1, bodyBytes: 10 } }, {}]) {
        await gateway.route({ backends, ...more });
        const before = load.answered();
        await until('load', () => load.answered() > before + 30);
      }
    }
    expect(await load.stop()).toEqual([]);
    const { engine, warnings } = await (await gateway.admin()).report();
    expect({ engine, warnings }).toEqual({ engine: 'haproxy', warnings: [] });
    const { releases, evidence: judged } = await (await gateway.admin()).counts();
    expect(releases).toMatchObject([{ release: 'r1', errors: 0 }]);
    // The first ones may have been the affair of the workers of before.
    expect(releases[0]?.requests).toBeGreaterThan(load.answered() * 0.5);
    expect(judged.length).toBeLessThanOrEqual(1);
  });

  test('is served by HAProxy again after a kill of the main process, from its snapshot', async () => {
    await gateway.setEngine('haproxy');
    const { pid } = await serving('haproxy');
    const main = await gateway.main();
    const haproxy = await until('HAProxy to be on record', () => haproxyOf(gateway.folder));
    const load = createLoad(gateway.publicPort, { clients: 4 });
    await until('load', () => load.answered() > 30);
    process.kill(pid, 'SIGKILL');
    await until('it to be gone', () => !isAlive(main));
    // Its workers start another one, and keep the sockets until it has them.
    expect((await serving('haproxy')).tableVersion).toBe(2);
    const before = load.answered();
    await until('load', () => load.answered() > before + 30);
    expect(await load.stop()).toEqual([]);
    await until('the one of before to end', () => !isAlive(haproxy));
  });
});
