import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { describeWith } from '../../testing/requires.ts';
import type { GatewayReport } from '../admin/gateway-report.ts';
import type { GatewayCounts } from '../measuring/report.ts';
import { createGatewayProcesses, type GatewayProcesses } from '../testing/gateway-processes.ts';
import { createLoad } from '../testing/load.ts';
import { ask } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import { haproxyOf } from './left-behind.ts';

describeWith('haproxy', 'a gateway whose engine is changed', () => {
  let gateway: GatewayProcesses;
  beforeEach(async () => {
    gateway = await createGatewayProcesses((_req, res) => void res.end('ok'), { environment: { SLUICE_GATEWAY_ENGINE: '' } });
    await gateway.start();
    await gateway.route();
  });
  let load: ReturnType<typeof createLoad> | undefined;
  afterEach(async () => {
    await load?.stop();
    load = undefined;
    await gateway.remove();
  });

  const serving = (engine: GatewayReport['engine']): Promise<GatewayReport> =>
    until(`${engine} to serve`, async () => {
      const report = await (await gateway.admin()).report().catch(() => undefined);
      return report !== undefined && report.engine === engine && !report.stopping ? report : undefined;
    });

  /** As soon as at least so many requests are counted: those of before tell theirs until they have ended. */
  const countsOf = (requests: number): Promise<GatewayCounts> =>
    until(`${requests} requests to be counted`, async () => {
      const counts = await (await gateway.admin()).counts();
      return (counts.releases[0]?.requests ?? 0) >= requests ? counts : undefined;
    });

  test('goes from one to the other and back under load, and no request fails', async () => {
    // Without a word, and from the first process on.
    const first = await serving('haproxy');
    expect(first).toMatchObject({
      tableVersion: 1,
      engineReason: expect.stringContaining('gateway.engine: embedded to change'),
      warnings: [],
    });
    const { epoch: life } = await countsOf(0);
    const running = createLoad(gateway.publicPort);
    load = running;
    await until('load', () => running.answered() > 50);
    await gateway.setEngine('embedded');
    const second = await serving('embedded');
    expect(second).toMatchObject({ tableVersion: 2, internalUrl: first.internalUrl, listeners: first.listeners, warnings: [] });
    const between = running.answered();
    await until('load by the embedded engine', () => running.answered() > between + 50);
    await until('HAProxy to have ended', async () => (await haproxyOf(gateway.folder)) === undefined);
    await gateway.setEngine('haproxy');
    await serving('haproxy');
    const after = running.answered();
    await until('load after', () => running.answered() > after + 50);
    expect(await running.stop()).toEqual([]);
    const { epoch, releases } = await countsOf(running.answered());
    expect([epoch, releases[0]?.requests]).toEqual([life, running.answered()]);
  });

  test('is served by the embedded engine when HAProxy does not stay, with a warning, and so is every process after it', async () => {
    await serving('haproxy');
    let last: number | undefined;
    for (let kills = 0; kills < 5; kills += 1) {
      const { pid } = await until('another HAProxy', async () => {
        const found = await haproxyOf(gateway.folder);
        return found === undefined || found.pid === last ? undefined : found;
      });
      last = pid;
      process.kill(pid, 'SIGKILL');
    }
    const warnings = ['the embedded engine serves instead of HAProxy: it ended 5 times within 60 seconds'];
    expect((await serving('embedded')).warnings).toEqual(warnings);
    expect((await ask(gateway.publicPort)).body).toBe('ok');
    await gateway.route();
    expect((await serving('embedded')).warnings).toEqual(warnings);
  });

  test('serves by HAProxy what HAProxy alone cannot do, loses nothing when that changes, and counts both ways together', async () => {
    await serving('haproxy');
    const running = createLoad(gateway.publicPort);
    load = running;
    const backends = [backend('r1', 1, { a: gateway.upstreamPort })];
    const evidence = { id: 'e', latencyThresholdsMs: [] };
    for (let round = 0; round < 3; round += 1) {
      for (const more of [{ evidence, mirror: { release: 'r1', percent: 1, bodyBytes: 10 } }, {}]) {
        await gateway.route({ backends, ...more });
        const before = running.answered();
        await until('load', () => running.answered() > before + 30);
      }
    }
    expect(await running.stop()).toEqual([]);
    const { engine, warnings } = await (await gateway.admin()).report();
    expect({ engine, warnings }).toEqual({ engine: 'haproxy', warnings: [] });
    const { releases, evidence: judged } = await countsOf(running.answered());
    expect(releases).toMatchObject([{ release: 'r1', errors: 0, requests: running.answered() }]);
    expect(judged.length).toBeLessThanOrEqual(1);
  });

  test('counts a user once, whichever engine answers', async () => {
    await serving('haproxy');
    const rollout = {
      backends: [backend('r2', 1, { b: gateway.upstreamPort }), backend('r1', 1, { a: gateway.upstreamPort })],
      split: { salt: 'app', affinity: { by: 'header', name: 'x-user' } } as const,
      evidence: { id: 'rollout', latencyThresholdsMs: [] },
    };
    const counted = async (users: number): Promise<number> => {
      for (let user = 0; user < users; user += 1) await ask(gateway.publicPort, { headers: { 'x-user': `user-${user}` } });
      return until('the last of them to be counted', async () => {
        const { evidence } = await (await gateway.admin()).counts();
        const units = (evidence[0]?.strata ?? []).reduce((sum, stratum) => sum + stratum.units, 0);
        return units >= users ? units : undefined;
      });
    };
    await gateway.route(rollout);
    expect(await counted(20)).toBe(20);
    await gateway.setEngine('embedded', rollout);
    await serving('embedded');
    expect(await counted(30)).toBe(30);
  });

  test('is served by HAProxy again after a kill of the main process, from its snapshot', async () => {
    const { pid } = await serving('haproxy');
    const main = await gateway.main();
    const haproxy = await until('HAProxy to be on record', () => haproxyOf(gateway.folder));
    const running = createLoad(gateway.publicPort, { clients: 4 });
    load = running;
    await until('load', () => running.answered() > 30);
    process.kill(pid, 'SIGKILL');
    await until('it to be gone', () => !isAlive(main));
    // Its workers start another one, and keep the sockets until it has them.
    expect((await serving('haproxy')).tableVersion).toBe(1);
    const before = running.answered();
    await until('load', () => running.answered() > before + 30);
    expect(await running.stop()).toEqual([]);
    await until('the one of before to end', () => !isAlive(haproxy));
  });
});
