import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../testing/conditions.ts';
import { ask } from './testing/raw-client.ts';
import { backend, createRig, type Rig, token } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.close());

const limits = { concurrency: 1, queue: 1, queueMs: 60_000, priority: 'normal' } as const;

/** An instance that answers when told to, and counts what it was asked. */
async function createSlow() {
  const open: ServerResponse[] = [];
  const seen: string[] = [];
  const { port } = await rig.serve((req, res) => {
    seen.push(req.url ?? '');
    open.push(res);
  });
  return { port, seen, open, answer: () => open.shift()?.end('done') };
}

describe('a service at its limit', () => {
  test('has the next request wait, refuses the one after it with Retry-After, and loses neither', async () => {
    const slow = await createSlow();
    await rig.route({ limits, backends: [backend('r1', 1, { a: slow.port })] });
    const first = ask(rig.publicPort, { path: '/1' });
    await until('the first has come', () => slow.seen.length === 1);
    const second = ask(rig.publicPort, { path: '/2' });
    const third = ask(rig.publicPort, { path: '/3' });
    const refused = await Promise.race([second, third]);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'gateway_overloaded' } });
    slow.answer();
    await until('the next has come', () => slow.seen.length === 2);
    slow.answer();
    const statuses = (await Promise.all([first, second, third])).map(({ status }) => status);
    expect(statuses.toSorted((left, right) => left - right)).toEqual([200, 200, 503]);
  });

  test('refuses who has waited too long', async () => {
    const slow = await createSlow();
    await rig.route({ limits: { ...limits, queueMs: 30 }, backends: [backend('r1', 1, { a: slow.port })] });
    const first = ask(rig.publicPort);
    await until('the first has come', () => slow.seen.length === 1);
    expect((await ask(rig.publicPort)).status).toBe(503);
    slow.answer();
    expect((await first).status).toBe(200);
  });

  test('gives whoever has waited to an instance of the table that is in force by then', async () => {
    const [old, fresh] = [await createSlow(), await createSlow()];
    await rig.route({ limits, backends: [backend('r1', 1, { a: old.port })] });
    const first = ask(rig.publicPort);
    await until('the first has come', () => old.seen.length === 1);
    const second = ask(rig.publicPort);
    await rig.route({
      limits,
      backends: [backend('r1', 0, { a: { port: old.port, draining: true } }), backend('r2', 1, { b: fresh.port })],
    });
    old.answer();
    await until('the second has come', () => fresh.seen.length === 1);
    fresh.answer();
    expect([(await first).status, (await second).status, old.seen.length]).toEqual([200, 200, 1]);
  });
});

describe('requests by rate', () => {
  test('get 429 and the time to wait when they come too fast', async () => {
    const { port } = await rig.serve((_req, res) => res.end());
    const rule = { key: { by: 'header', name: 'x-key' }, requests: 1, perMs: 30_000, burst: 2 } as const;
    await rig.route({ rateLimits: [rule], backends: [backend('r1', 1, { a: port })] });
    const statuses = [];
    for (const key of ['a', 'a', 'a', 'b']) statuses.push((await ask(rig.publicPort, { headers: { 'x-key': key } })).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
    const refused = await ask(rig.publicPort, { headers: { 'x-key': 'a' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(20);
  });
});

describe('a service with a cache', () => {
  const cache = { ttlMs: 60_000, methods: ['GET' as const], vary: ['accept-language'], maxBytes: 1_000_000 };

  test('is asked once for what it has just answered, by each language, and again by a new release', async () => {
    let asked = 0;
    const serve = (name: string) => rig.serve((req, res) => res.end(`${name} ${(asked += 1)} ${req.headers['accept-language']}`));
    const [one, two] = [await serve('r1'), await serve('r2')];
    await rig.route({ cache, backends: [backend('r1', 1, { a: one.port })] });
    const german = { headers: { 'accept-language': 'de' } };
    const bodies = [await ask(rig.publicPort, german), await ask(rig.publicPort, german), await ask(rig.publicPort)].map(
      ({ body }) => body,
    );
    expect(bodies).toEqual(['r1 1 de', 'r1 1 de', 'r1 2 undefined']);
    expect((await ask(rig.publicPort, german)).headers['age']).toBe('0');
    await rig.route({ cache, backends: [backend('r2', 1, { b: two.port })] });
    expect((await ask(rig.publicPort, german)).body).toBe('r2 3 de');
    expect((await ask(rig.publicPort, { ...german, method: 'POST' })).body).toBe('r2 4 de');
    expect((await ask(rig.publicPort, german)).body).toBe('r2 5 de');
  });

  test('answers its callers from it, but only to what they ask of it', async () => {
    const { port } = await rig.serve((req, res) => res.end(req.url));
    await rig.route(
      { name: 'callee', cache, backends: [backend('r1', 1, { a: port })] },
      { name: 'caller', expose: [], calls: ['callee'] },
    );
    const headers = { 'x-sluice-token': token('caller') };
    const ofCallee = async (): Promise<string> => (await ask(rig.internalPort, { path: '/callee/x', headers })).body;
    expect([await ofCallee(), await ofCallee()]).toEqual(['/x', '/x']);
    expect((await ask(rig.publicPort, { path: '/callee/x' })).body).toBe('/callee/x');
  });
});

describe('an instance that answers with failures and passes its checks', () => {
  test('is left out for a while, and comes back', async () => {
    let isSick = true;
    const sick = await rig.serve((_req, res) => res.writeHead(isSick ? 503 : 200).end('sick'));
    const sound = await rig.serve((_req, res) => res.end('sound'));
    const outliers = { consecutiveFailures: 2, ejectionMs: 1_000, maxEjectedPercent: 50 };
    await rig.route({ outliers, backends: [backend('r1', 1, { a: sick.port, b: sound.port })] });
    const bodies: string[] = [];
    while (bodies.filter((body) => body === 'sick').length < 2) bodies.push((await ask(rig.publicPort)).body);
    isSick = false;
    for (let index = 0; index < 3; index += 1) expect((await ask(rig.publicPort)).body).toBe('sound');
    await until('it to be asked again', async () => (await ask(rig.publicPort)).body === 'sick');
  });
});

describe('two releases', () => {
  test('share users by their cookie, and a tester chooses', async () => {
    const [one, two] = [await rig.serve((_req, res) => res.end('stable')), await rig.serve((_req, res) => res.end('candidate'))];
    const split = { salt: 's', affinity: { by: 'cookie' as const, name: 'session' }, overrideHeader: 'x-release' };
    await rig.route({ split, backends: [backend('candidate', 50, { b: two.port }), backend('stable', 50, { a: one.port })] });
    const of = async (user: string): Promise<string> => (await ask(rig.publicPort, { headers: { cookie: `session=${user}` } })).body;
    const users = Array.from({ length: 20 }, (_each, index) => `u${index}`);
    const first = await Promise.all(users.map(of));
    expect(await Promise.all(users.map(of))).toEqual(first);
    expect(new Set(first)).toEqual(new Set(['stable', 'candidate']));
    for (const release of ['stable', 'candidate']) {
      expect((await ask(rig.publicPort, { headers: { 'x-release': release, cookie: 'session=u0' } })).body).toBe(release);
    }
  });
});
