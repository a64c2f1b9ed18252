import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ApiFixture, createApiFixture } from '../api/testdata/api-fixture.ts';
import { systemClock } from '../effects/clock.ts';
import { systemRandom } from '../effects/random.ts';
import { testPort } from '../testing/test-port.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { backend, createRig, type Rig } from '../gateway/testing/rig.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { until } from '../testing/conditions.ts';
import { describeWith } from '../testing/requires.ts';
import { type ApiServer, listen } from './api-server.ts';
import { createGatewayDesk } from './gateway-desk.ts';

/** The control plane's API over a gateway with one service, in which /slow takes 120 ms. */
interface Stage {
  readonly rig: Rig;
  readonly api: ApiFixture;
  readonly server: ApiServer;
  readonly folder: string;
}

let stage: Stage;
beforeEach(async () => {
  const rig = await createRig();
  const { port } = await rig.serve((req, res) => {
    res.statusCode = req.url === '/broken' ? 500 : 200;
    if (req.url === '/slow') setTimeout(() => res.end('slow'), 120);
    else res.end('quick');
  });
  await rig.route({ expose: [{ host: '127.0.0.1', path: '/' }], backends: [backend('r1', 1, { one: port })] });
  const store = createMemoryStore();
  await store.transact([{ operation: 'put', collection: 'resources', key: 'test/service/app', value: {} }]);
  const gateway = {
    upgrade: () => Promise.resolve(),
    status: () => Promise.reject(sluiceError('gateway_unreachable', { reason: 'not asked here' })),
    counts: () => rig.gateway.counts(),
    outage: () => undefined,
  };
  const api = await createApiFixture({
    allowedHosts: ['127.0.0.1'],
    gatewayDesk: createGatewayDesk({ gateway, store, clock: systemClock }),
  });
  const server = await listen({
    app: api.app,
    host: '127.0.0.1',
    port: undefined,
    previousPort: undefined,
    clock: systemClock,
    random: systemRandom,
  });
  stage = { rig, api, server, folder: await mkdtemp(join(tmpdir(), 'sluice-prometheus-')) };
});
afterEach(async () => {
  await stage.server.close();
  await stage.rig.close();
  await rm(stage.folder, { recursive: true, force: true });
});

const ask = async (path: string): Promise<string> => (await fetch(`${stage.rig.publicUrl}${path}`)).text();
const scrape = (headers: Record<string, string> = {}): Promise<Response> => fetch(`${stage.server.url}/metrics`, { headers });

it('metrics are for holders of a key, in the format they prefer', async () => {
  await ask('/');
  expect((await scrape()).status).toBe(401);
  const authorization = `Bearer ${stage.api.keys.viewer}`;
  const plain = await scrape({ authorization });
  expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await plain.text();
  expect(text).toContain('sluice_gateway_requests_total{environment="test",service="app",release="r1",code_class="2xx"} 1\n');
  expect(text).toContain('sluice_control_plane_resources{environment="test",kind="service"} 1\n');
  expect(text).toContain('sluice_gateway_up 1\n');
  const open = await scrape({ authorization, accept: 'application/openmetrics-text; version=1.0.0' });
  expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
  expect((await open.text()).endsWith('# EOF\n')).toBe(true);
});

describeWith('promtool', 'promtool', (promtool) => {
  it('finds nothing to object to in the metrics', async () => {
    await ask('/');
    const text = await (await scrape({ authorization: `Bearer ${stage.api.keys.viewer}` })).text();
    const check = execFile(promtool, ['check', 'metrics'], { timeout: 20_000 });
    let said = '';
    check.stdout?.on('data', (chunk: string) => (said += chunk));
    check.stderr?.on('data', (chunk: string) => (said += chunk));
    check.stdin?.end(text);
    const [code] = (await once(check, 'close')) as [number];
    expect([code, said]).toEqual([0, '']);
  });
});

describeWith('prometheus', 'a Prometheus server', (prometheus) => {
  it('scrapes the control plane with a key from a file and answers with the rate and p95 of a release', async () => {
    const { folder, server, api } = stage;
    const port = await testPort();
    const config = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
      scrape_configs: [
        {
          job_name: 'sluice',
          authorization: { credentials_file: join(folder, 'key') },
          static_configs: [{ targets: [new URL(server.url).host] }],
        },
      ],
    };
    await writeFile(join(folder, 'key'), api.keys.viewer, { mode: 0o600 });
    // YAML is a superset of JSON.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const child = spawn(
      prometheus,
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    const ended = once(child, 'close');
    const query = async (expression: string): Promise<number | undefined> => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`).catch(() => undefined);
      if (response?.ok !== true) return undefined;
      const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
      const [first] = data.result;
      return first === undefined ? undefined : Number(first.value[1]);
    };
    try {
      const total = 'sum(sluice_gateway_requests_total{service="app",release="r1"})';
      await until('the first scrape', async () => (await query('sluice_gateway_up')) === 1);
      // 8 of 100 are slow, so p95 is in the bucket from 100 to 250 ms.
      await Promise.all(Array.from({ length: 100 }, (_, index) => ask(index % 12 === 0 && index < 96 ? '/slow' : '/')));
      await until('all requests are scraped', async () => (await query(total)) === 100);
      const rate = await until('a rate', async () => {
        const value = await query('sum(rate(sluice_gateway_requests_total{code_class="2xx"}[20s]))');
        return value !== undefined && value > 0 ? value : undefined;
      });
      expect(rate).toBeLessThanOrEqual(100);
      const bucket = 'sum by (le) (sluice_gateway_request_duration_seconds_bucket{service="app"})';
      const p95 = await query(`histogram_quantile(0.95, ${bucket})`);
      expect(p95).toBeGreaterThan(0.1);
      expect(p95).toBeLessThanOrEqual(0.25);
      expect(await query('sum(sluice_gateway_request_duration_seconds_count)')).toBe(100);
      const recent = await until('the quantile of the last minute', () =>
        query('sluice_gateway_recent_request_duration_seconds{quantile="0.95"}'),
      );
      expect(recent).toBeGreaterThan(0.118);
      expect(recent).toBeLessThan(1);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  }, 40_000);
});
