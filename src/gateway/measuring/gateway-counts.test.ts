import { afterEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { backend, createRig, type Rig } from '../testing/rig.ts';

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

test('copies are counted beside the requests they are of, and are no requests of their release', async () => {
  rig = await createRig();
  const stable = await rig.serve((req, res) => void setTimeout(() => res.end('answer'), req.url === '/slow' ? 1_100 : 0));
  const seen: string[] = [];
  const candidate = await rig.serve((req, res) => {
    seen.push(req.method ?? '');
    res.statusCode = req.url === '/broken' ? 503 : 200;
    if (req.url === '/cut') res.write('half', () => res.destroy());
    else res.end('for nobody');
  });
  await rig.route({
    expose: [{ host: '127.0.0.1', path: '/' }],
    backends: [backend('r2', 0, { two: candidate.port }), backend('r1', 1, { one: stable.port })],
    mirror: { release: 'r2', percent: 100, bodyBytes: 1_000, methods: ['GET'] },
    evidence: { id: 'rollout', latencyThresholdsMs: [1_000] },
    split: { salt: '', overrideHeader: 'x-sluice-release' },
  });
  const { gateway, publicUrl } = rig;
  const ask = (path: string, options: RequestInit = {}) => fetch(`${publicUrl}${path}`, options).then((response) => response.text());
  for (const path of ['/', '/broken', '/cut', '/slow']) expect(await ask(path)).toBe('answer');
  await ask('/', { method: 'POST', body: 'a side effect' });
  expect(await ask('/', { headers: { 'x-sluice-release': 'r2' } })).toBe('for nobody');
  const { evidence, releases } = await until('all copies are counted', async () => {
    const counts = await gateway.counts();
    const { copies, strata } = counts.evidence[0] ?? {};
    return copies?.[0]?.units === 4 && strata?.[0]?.units === 5 ? counts : undefined;
  });
  expect(seen.toSorted()).toEqual(['GET', 'GET', 'GET', 'GET', 'GET']);
  expect(evidence[0]?.copies).toEqual([
    { release: 'r2', probability: 0.5, units: 4, errors: 2, exceedances: [0], categories: {} },
    { release: 'r1', probability: 0.5, units: 4, errors: 0, exceedances: [1], categories: {} },
  ]);
  expect(evidence[0]?.strata).toMatchObject([{ release: 'r1', units: 5 }]);
  expect(releases).toMatchObject([
    { release: 'r2', requests: 1 },
    { release: 'r1', requests: 5 },
  ]);
});

test('the gateway counts what its requests came to, by release', async () => {
  rig = await createRig();
  const { port } = await rig.serve((req, res) => {
    if (req.url === '/cut') {
      res.write('half', () => res.destroy());
    } else {
      res.statusCode = req.url === '/missing' ? 404 : req.url === '/broken' ? 500 : 200;
      res.end('x'.repeat(1_000));
    }
  });
  await rig.route({ expose: [{ host: '127.0.0.1', path: '/' }], backends: [backend('r1', 1, { one: port })] });
  const { publicUrl } = rig;
  const ask = (path: string) => fetch(`${publicUrl}${path}`).then((response) => response.text());
  for (const path of ['/', '/', '/missing', '/broken']) await ask(path);
  await expect(ask('/cut')).rejects.toThrow(/terminated|fetch failed/);
  const { gateway } = rig;
  const { releases, epoch } = await until('the last of them is over', async () => {
    const counts = await gateway.counts();
    return counts.releases[0]?.requests === 5 ? counts : undefined;
  });
  expect(releases).toMatchObject([
    {
      environment: 'test',
      service: 'app',
      release: 'r1',
      inFlight: 0,
      requests: 5,
      errors: 2,
      statuses: { '2xx': 3, '4xx': 1, '5xx': 1 },
      endings: { answered: 4, aborted: 1 },
      total: { count: 5 },
    },
  ]);
  expect(releases[0]?.bytesOut).toBeGreaterThan(4_000);
  expect(epoch).toMatch(/^[0-9a-f]{16}$/);
});
