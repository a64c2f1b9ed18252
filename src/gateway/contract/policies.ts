import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testPort } from '../../testing/test-port.ts';
import { until } from '../../testing/conditions.ts';
import { seedOf } from '../routing/split.ts';
import { splitRanges } from '../routing/split-ranges.ts';
import { xxh32 } from '../routing/xxh32.ts';
import { ask } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';

export function describePolicies(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  const ports: Record<string, number> = {};
  beforeAll(async () => {
    gateway = await kind.create();
    for (const name of ['candidate', 'other', 'stable']) {
      const { port } = await gateway.serve((_req: unknown, res: ServerResponse) => res.end(name));
      ports[name] = port;
    }
  });
  afterAll(() => gateway.close());

  const backends = (weights: Record<string, number>) =>
    Object.entries(weights).map(([name, weight]) => backend(name, weight, { [name]: ports[name] as number }));
  const askAll = async (count: number, headersOf: (index: number) => Record<string, string>): Promise<string[]> => {
    const bodies: string[] = [];
    for (let from = 0; from < count; from += 50) {
      const batch = Array.from({ length: Math.min(50, count - from) }, (_each, index) =>
        ask(gateway.publicPort, { headers: headersOf(from + index) }),
      );
      bodies.push(...(await Promise.all(batch)).map(({ body }) => body));
    }
    return bodies;
  };
  const share = (bodies: readonly string[], name: string): number => bodies.filter((body) => body === name).length / bodies.length;

  test('requests are drawn by weight, each by itself', async () => {
    await gateway.route({ backends: backends({ candidate: 1, other: 2, stable: 7 }) });
    const bodies = await askAll(1_500, () => ({}));
    // Five standard errors of a share near a tenth.
    expect(Math.abs(share(bodies, 'candidate') - 0.1)).toBeLessThan(0.04);
    expect(Math.abs(share(bodies, 'other') - 0.2)).toBeLessThan(0.055);
  });

  test.each([
    ['cookie', { by: 'cookie', name: 'uid' } as const, (user: string) => ({ cookie: `a=b; uid=${user}` })],
    ['header', { by: 'header', name: 'X-User' } as const, (user: string) => ({ 'x-user': user })],
  ])('a user known by %s stays with a release, and cohorts only grow', async (_name, affinity, headersOf) => {
    const split = { salt: 'app/rollout-1', affinity };
    const users = Array.from({ length: 200 }, (_each, index) => `${'long-'.repeat(index % 9)}user-${index}`);
    const candidatesAt = async (weight: number): Promise<Set<string>> => {
      await gateway.route({ split, backends: backends({ candidate: weight, stable: 100 - weight }) });
      const first = await askAll(users.length, (index) => headersOf(users[index] as string));
      const second = await askAll(users.length, (index) => headersOf(users[index] as string));
      expect(second).toEqual(first);
      expect(first).toEqual(users.map((user) => expectedOf(user, split.salt, weight)));
      return new Set(users.filter((_user, index) => first[index] === 'candidate'));
    };
    const [few, more] = [await candidatesAt(10), await candidatesAt(40)];
    expect(few.size).toBeGreaterThan(3);
    expect(few.size).toBeLessThan(45);
    expect([...few].filter((user) => !more.has(user))).toEqual([]);
    expect(more.size).toBeGreaterThan(few.size);
  });

  /** By the same hash and ranges on every plane: who changes the engine keeps every user where it was. */
  const expectedOf = (user: string, salt: string, weight: number): string => {
    const point = xxh32(user, seedOf(salt));
    const ranges = splitRanges([{ weight }, { weight: 100 - weight }]);
    return ranges.find(({ from, to }) => point >= from && point < to)?.backend === 0 ? 'candidate' : 'stable';
  };

  test('another salt draws other cohorts', async () => {
    const cohort = async (salt: string): Promise<string> => {
      await gateway.route({
        split: { salt, affinity: { by: 'header', name: 'x-user' } },
        backends: backends({ candidate: 50, stable: 50 }),
      });
      return (await askAll(60, (index) => ({ 'x-user': `user-${index}` }))).join();
    };
    expect(await cohort('one')).not.toBe(await cohort('two'));
  });

  test('a tester picks a release by header whatever its weight, and no other answers for one that is not there or not ready', async () => {
    const picked = async (header: string, value: string): Promise<string | number> => {
      const { status, body } = await ask(gateway.publicPort, { headers: { [header]: value } });
      return status === 200 ? body : status;
    };
    await gateway.route({ split: { salt: 's', overrideHeader: 'X-Release' }, backends: backends({ candidate: 0, stable: 1 }) });
    const values = ['candidate', 'stable', 'nonsense', ''];
    expect(await Promise.all(values.map((value) => picked('x-release', value)))).toEqual(['candidate', 'stable', 404, 'stable']);
    const silent = backend('candidate', 0, { gone: await testPort() });
    await gateway.route({ backends: [silent, ...backends({ stable: 1 })] });
    expect(await picked('x-sluice-release', 'candidate')).toBeGreaterThan(499);
    // Also where nothing is split.
    await gateway.route({ backends: backends({ stable: 1 }) });
    expect([await picked('x-sluice-release', 'stable'), await picked('x-sluice-release', 'candidate')]).toEqual(['stable', 404]);
  });

  test('a preview has a host of its own: one release, whatever its weight, and nothing once it is not there', async () => {
    const preview = { host: 'preview.test', path: '/', release: 'candidate' };
    const expose = [{ host: 'app.test', path: '/' }, preview];
    const seen = async (host: string): Promise<string> => {
      const { status, body } = await ask(gateway.publicPort, { headers: { host } });
      return status === 200 ? body : String(status);
    };
    await gateway.route({ expose, backends: backends({ candidate: 0, stable: 1 }) });
    expect([await seen('preview.test'), await seen('app.test')]).toEqual(['candidate', 'stable']);
    const unready = { ...backends({ candidate: 0 })[0], release: 'candidate', weight: 0, instances: [] };
    await gateway.route({ expose, backends: [unready, ...backends({ stable: 1 })] });
    expect([await seen('preview.test'), await seen('app.test')]).toEqual(['503', 'stable']);
    await gateway.route({ expose, backends: backends({ stable: 1 }) });
    expect([await seen('preview.test'), await seen('app.test')]).toEqual(['404', 'stable']);
  });

  test('a rate limit refuses what is too much, for each key by itself', async () => {
    const rateLimits = [{ key: { by: 'header', name: 'x-user' } as const, requests: 3, perMs: 60_000, burst: 3 }];
    await gateway.route({ rateLimits, backends: backends({ stable: 1 }) });
    const statuses = async (user: string): Promise<number[]> => {
      const all: number[] = [];
      for (let index = 0; index < 5; index += 1) all.push((await ask(gateway.publicPort, { headers: { 'x-user': user } })).status);
      return all;
    };
    expect(await statuses('one')).toEqual([200, 200, 200, 429, 429]);
    expect(await statuses('two')).toEqual([200, 200, 200, 429, 429]);
  });

  test('no more requests than its limit are with an instance at once, and who waits too long is refused', async () => {
    const running: ServerResponse[] = [];
    const { port } = await gateway.serve((_req, res) => running.push(res));
    const limits = { concurrency: 1, queue: 10, queueMs: 100, priority: 'normal' as const };
    await gateway.route({ limits, backends: [backend('r1', 1, { a: port })] });
    const statuses: number[] = [];
    const asked = Array.from({ length: 3 }, async () => statuses.push((await ask(gateway.publicPort)).status));
    // Whoever came first is held until the others have given up.
    await until('two to be refused', () => statuses.length === 2);
    expect([statuses, running.length]).toEqual([[503, 503], 1]);
    running[0]?.end('done');
    await Promise.all(asked);
    expect([statuses, running.length]).toEqual([[503, 503, 200], 1]);
  });
}
