import { afterEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { backend, createRig, type Rig } from '../testing/rig.ts';

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
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
