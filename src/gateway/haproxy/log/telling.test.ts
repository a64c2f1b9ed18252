import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { Agent, createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../effects/clock.ts';
import { testPort } from '../../../testing/test-port.ts';
import { seededRandom } from '../../../effects/random.ts';
import { until } from '../../../testing/conditions.ts';
import { describeWith } from '../../../testing/requires.ts';
import { silentLog } from '../../log.ts';
import { openAccessLog } from '../../measuring/open-observer.ts';
import type { ServiceRoute } from '../../routing-table.ts';
import { ask } from '../../testing/raw-client.ts';
import { backend, listening, routeOf } from '../../testing/rig.ts';
import { openPlane, type OpenPlane } from '../testing/open-plane.ts';

describeWith('haproxy', 'what HAProxy tells of requests', (binary) => {
  let folder = '';
  let upstream: Server;
  let upstreamPort = 0;
  let port = 0;
  let plane: OpenPlane;
  const heads: NodeJS.Dict<string | string[]>[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-haproxy-'));
    heads.length = 0;
    upstream = createServer((req, res) => {
      heads.push(req.headers);
      res.statusCode = req.url?.startsWith('/broken') === true ? 500 : 200;
      if (req.url === '/cut') res.write('half', () => res.destroy());
      else res.end('ok');
    });
    upstreamPort = await listening(upstream);
    port = await testPort();
  });
  afterEach(async () => {
    await plane.drain(0);
    upstream.close();
    upstream.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (sampleRate: number, isTraced = false): Promise<void> => {
    const settings = { accessLog: { sampleRate, maxBytes: 1e6, oldFiles: 1 } };
    const accessLog = openAccessLog({ folder, worker: 'x', settings, clock: systemClock, random: seededRandom(3), log: silentLog });
    plane = await openPlane(binary, folder, {}, { accessLog, isTraced, threads: 2 });
    await plane.start({ host: '127.0.0.1', port: 0 });
  };
  const put = async (more: Partial<ServiceRoute> = {}): Promise<void> => {
    const listeners = [{ environment: 'test', host: '127.0.0.1', port }];
    const services = [routeOf({ backends: [backend('r1', 1, { a: upstreamPort })], ...more })];
    await (await plane.prepare({ version: 1, listeners, services }, { tolerateTakenPorts: false })).commit();
  };
  const written = async (): Promise<Record<string, unknown>[]> => {
    const text = await readFile(join(folder, 'access-x.log'), 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
  };
  const lines = (count: number): Promise<Record<string, unknown>[]> =>
    until(`${count} lines of the access log`, async () => {
      const found = await written();
      return found.length >= count ? found : undefined;
    });

  test('the access log says of a request what it says of one that the embedded engine answered, never what its query held', async () => {
    await open(1);
    await put();
    await ask(port, { path: '/a/b?token=hunter2', headers: { host: `app.test:${port}` } });
    const [line] = await lines(1);
    const [head] = heads;
    expect(line).toEqual({
      time: expect.any(String),
      request: head?.['x-request-id'],
      trace: head?.['traceparent']?.slice(3, 35),
      client: '127.0.0.1',
      method: 'GET',
      host: 'app.test',
      path: '/a/b',
      environment: 'test',
      service: 'app',
      release: 'r1',
      instance: 'a',
      status: 200,
      ending: 'answered',
      firstByteMs: expect.any(Number),
      totalMs: expect.any(Number),
      queuedMs: 0,
      retries: 0,
      bytesIn: expect.any(Number),
      bytesOut: expect.any(Number),
    });
    expect(line?.['totalMs']).toBeGreaterThan(0);
  });

  test('errors alone are in the access log of the default: of instances, of answers that broke off, and of HAProxy', async () => {
    await open(0);
    await put();
    for (const path of ['/', '/broken']) await ask(port, { path });
    await expect(ask(port, { path: '/cut' })).rejects.toThrow('aborted');
    await new Promise((resolve) => {
      upstream.close(resolve);
      upstream.closeAllConnections();
    });
    expect((await ask(port)).status).toBe(502);
    expect((await lines(3)).map(({ path, status, ending, host }) => [path, status, ending, host])).toEqual([
      ['/broken', 500, 'answered', 'app.test'],
      ['/cut', 200, 'aborted', 'app.test'],
      ['/', 502, 'failed', 'app.test'],
    ]);
  });

  test('of many requests a sample stands for all, and every error is told', async () => {
    await open(0.25);
    await put();
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const total = 1_600;
    await Promise.all(Array.from({ length: total }, (_each, index) => ask(port, { agent, path: index % 32 === 0 ? '/broken' : '/' })));
    agent.destroy();
    const release = await until('all to be counted', async () => {
      const [found] = (await plane.counts()).releases;
      return found?.requests === total ? found : undefined;
    });
    expect(release).toMatchObject({ errors: total / 32, statuses: { '2xx': total - total / 32, '5xx': total / 32 } });
    // Drawn with a quarter of the chance: ten standard deviations of what it stands for.
    expect(Math.abs(release.total.count - total)).toBeLessThan(10 * Math.sqrt(total * 3));
    const found = await until('every error to be told', async () => {
      const all = await written();
      return all.filter(({ status }) => status === 500).length === total / 32 ? all : undefined;
    });
    expect(found.length).toBeLessThan(total * 0.4);
  });

  test('while nobody reads, requests are answered, and what could not be told is counted', async () => {
    await open(1);
    const instance = await testPort();
    await put({ backends: [backend('r1', 1, { a: instance })] });
    const entry = fileURLToPath(new URL('../testing/ask-often.ts', import.meta.url));
    execFileSync(process.execPath, [entry, String(port), String(instance), '1500'], { stdio: 'inherit' });
    const dropped = await until('what was missed to be told', async () => {
      expect((await plane.counts()).releases).toMatchObject([{ requests: 1_500, errors: 0 }]);
      return (await written()).find((line) => 'dropped' in line)?.['dropped'] as number | undefined;
    });
    expect(await lines(1_501 - dropped)).toHaveLength(1_501 - dropped);
  });

  test('with spans exported all requests take the long way, where they are', async () => {
    await open(0, true);
    await put();
    expect((await ask(port)).body).toBe('ok');
    const [told] = plane.behind.takeCounts().releases;
    expect([told?.requests, (await plane.counts()).releases]).toEqual([1, []]);
    expect((await readdir(folder)).filter((name) => name.startsWith('access'))).toEqual([]);
  });
});
