import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../effects/ports.ts';
import { testPort } from '../testing/test-port.ts';
import { seededRandom } from '../effects/random.ts';
import { until } from '../testing/conditions.ts';
import { ask, rawConnection } from './testing/raw-client.ts';
import { backend, createRig, type Rig, routeOf, token } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.close());

const named = (name: string) => (_req: unknown, res: ServerResponse) => res.end(name);
const status = async (host: string, path = '/'): Promise<number> => (await ask(rig.publicPort, { path, headers: { host } })).status;

describe('a table', () => {
  test('routes by host and path, and what is in no route is 404 without internals', async () => {
    const [root, api] = [await rig.serve(named('root')), await rig.serve(named('api'))];
    await rig.route(
      { name: 'root', backends: [backend('r1', 1, { a: root.port })] },
      { name: 'api', expose: [{ host: 'app.test', path: '/api' }], backends: [backend('r1', 1, { b: api.port })] },
    );
    expect((await ask(rig.publicPort, { path: '/api/x' })).body).toBe('api');
    expect((await ask(rig.publicPort, { path: '/apis' })).body).toBe('root');
    const unknown = await ask(rig.publicPort, { headers: { host: 'unknown.test' } });
    expect(unknown.status).toBe(404);
    expect(JSON.parse(unknown.body)).toEqual({
      error: {
        code: 'gateway_route_unknown',
        message: 'No service answers at this address.',
        help: 'Check the host and the path of the request.',
      },
    });
  });

  test('without an instance to go to is 503 with Retry-After', async () => {
    await rig.route({ backends: [backend('r1', 1, {})] });
    const answer = await ask(rig.publicPort);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'gateway_no_instance' } });
  });

  test('older than the current one is refused, as is another one of the same version; the same again is accepted', async () => {
    const first = await rig.route({});
    const second = await rig.route({});
    await expect(rig.gateway.apply(first)).rejects.toMatchObject({ code: 'gateway_table_stale', status: 409 });
    await expect(rig.gateway.apply({ ...second, services: [] })).rejects.toMatchObject({ code: 'gateway_table_stale' });
    await rig.gateway.apply(structuredClone(second));
    expect(rig.gateway.report().tableVersion).toBe(2);
  });

  test('that is invalid changes nothing', async () => {
    const upstream = await rig.serve(named('kept'));
    const good = await rig.route({ backends: [backend('r1', 1, { a: upstream.port })] });
    await expect(rig.gateway.apply({ ...good, version: 9, services: [routeOf({}), routeOf({})] })).rejects.toMatchObject({
      code: 'gateway_table_invalid',
    });
    expect((await ask(rig.publicPort)).body).toBe('kept');
    expect(rig.gateway.report().tableVersion).toBe(1);
  });

  test('whose port is taken changes nothing and opens nothing', async () => {
    const good = await rig.route({});
    const other = await testPort();
    const listeners = [
      { environment: 'test', host: '127.0.0.1', port: other },
      { environment: 'two', host: '127.0.0.1', port: rig.internalPort },
    ];
    await expect(rig.gateway.apply({ ...good, version: 9, listeners })).rejects.toMatchObject({ code: 'gateway_port_taken' });
    expect(await status('app.test')).toBe(503);
    expect(await freePort('127.0.0.1', other)).toBe(other);
  });

  test('gives every environment its own port, and closes those it no longer has', async () => {
    const [one, two] = [await rig.serve(named('one')), await rig.serve(named('two'))];
    const port = await testPort();
    const table = await rig.route({ backends: [backend('r1', 1, { a: one.port })] });
    const second = routeOf({ environment: 'two', tokenDigests: [], backends: [backend('r1', 1, { a: two.port })] });
    const listeners = [...table.listeners, { environment: 'two', host: '127.0.0.1', port }];
    await rig.gateway.apply({ version: 2, listeners, services: [...table.services, second] });
    expect([(await ask(rig.publicPort)).body, (await ask(port)).body]).toEqual(['one', 'two']);
    await rig.gateway.apply({ ...table, version: 3 });
    await expect(ask(port)).rejects.toThrow('ECONNREFUSED');
  });

  test('moves an environment to another address of the same port, and back', async () => {
    const { port } = await rig.serve(named('here'));
    const services = [routeOf({ backends: [backend('r1', 1, { a: port })] })];
    const at = (host: string, version: number): Promise<void> =>
      rig.gateway.apply({ version, listeners: [{ environment: 'test', host, port: rig.publicPort }], services });
    const from = async (host: string): Promise<string> =>
      ask(rig.publicPort, { host }).then(
        ({ body }) => body,
        (error: NodeJS.ErrnoException) => error.code ?? '',
      );
    await at('127.0.0.1', 1);
    expect([await from('127.0.0.1'), await from('127.0.0.2')]).toEqual(['here', 'ECONNREFUSED']);
    await at('0.0.0.0', 2);
    expect([await from('127.0.0.1'), await from('127.0.0.2')]).toEqual(['here', 'here']);
    await at('127.0.0.2', 3);
    expect([await from('127.0.0.1'), await from('127.0.0.2')]).toEqual(['ECONNREFUSED', 'here']);
  });

  test('never cuts a running request', async () => {
    let held: ServerResponse | undefined;
    const upstream = await rig.serve((_req, res) => {
      res.write('begin ');
      held = res;
    });
    await rig.route({ backends: [backend('r1', 1, { a: upstream.port })] });
    const answer = ask(rig.publicPort);
    await until('the instance to be asked', () => held);
    await rig.route({ backends: [backend('r1', 1, { a: { port: upstream.port, draining: true } })] });
    expect(rig.gateway.report().instances).toMatchObject([{ id: 'a', state: 'draining', inFlight: 1 }]);
    await rig.gateway.apply({ version: 9, listeners: [], services: [] });
    expect(rig.gateway.report().instances).toMatchObject([{ id: 'a', state: 'removed', inFlight: 1 }]);
    held?.end('end');
    expect((await answer).body).toBe('begin end');
    await until('the instance to be forgotten', () => rig.gateway.report().instances.length === 0);
  });

  test('gives a draining instance nothing new, not even when it is all there is', async () => {
    let asked = 0;
    const leaving = await rig.serve((_req, res) => {
      asked += 1;
      res.end('leaving');
    });
    const staying = await rig.serve(named('staying'));
    const drainingInstance = { port: leaving.port, draining: true as const };
    await rig.route({ backends: [backend('r1', 1, { a: drainingInstance, b: staying.port }), backend('r2', 5, { c: drainingInstance })] });
    for (let index = 0; index < 30; index += 1) expect((await ask(rig.publicPort)).body).toBe('staying');
    await rig.route({ backends: [backend('r1', 1, { a: drainingInstance })] });
    expect((await ask(rig.publicPort)).status).toBe(503);
    expect(asked).toBe(0);
  });

  test('that drains an instance leaves it no idle connection, so that it can end at once', async () => {
    const upstream = await rig.serve(named('x'));
    await rig.route({ backends: [backend('r1', 1, { a: upstream.port })] });
    await ask(rig.publicPort);
    await rig.route({ backends: [backend('r1', 1, { a: { port: upstream.port, draining: true } })] });
    const closed = new Promise((resolve) => {
      upstream.server.close(resolve);
    });
    await expect(closed).resolves.toBeUndefined();
  });
});

describe('the internal listener', () => {
  test('strips the service’s name and the token, says who calls, and enforces what is declared', async () => {
    const upstream = await rig.serve((req, res) => res.end(JSON.stringify({ url: req.url, ...req.headers })));
    await rig.route(
      { name: 'callee', expose: [], backends: [backend('r1', 1, { a: upstream.port })] },
      { name: 'caller', expose: [], calls: ['callee', 'later'] },
    );
    const call = (path: string, headers: Record<string, string>) => ask(rig.internalPort, { path, headers });
    const answer = await call('/callee/search?q=1', {
      'x-sluice-token': token('caller'),
      'x-sluice-caller': 'forged',
      'x-sluice-note': 'kept',
    });
    const seen = JSON.parse(answer.body) as Record<string, string>;
    expect(seen).toMatchObject({ url: '/search?q=1', host: 'app.test', 'x-sluice-caller': 'caller', 'x-sluice-note': 'kept' });
    expect(seen).not.toHaveProperty('x-sluice-token');
    expect((await call('/callee/', {})).status).toBe(401);
    expect((await call('/callee/', { 'x-sluice-token': 'wrong' })).status).toBe(401);
    expect((await call('/callee/', { 'x-sluice-token': token('callee') })).status).toBe(403);
    expect((await call('/nobody/', { 'x-sluice-token': token('caller') })).status).toBe(403);
    expect((await call('/later/', { 'x-sluice-token': token('caller') })).status).toBe(503);
  });

  test('knows the services of the caller’s environment only', async () => {
    const mine = await rig.serve(named('mine'));
    const theirs = await rig.serve(named('theirs'));
    await rig.route(
      { name: 'callee', environment: 'other', expose: [], tokenDigests: [], backends: [backend('r1', 1, { a: theirs.port })] },
      { name: 'callee', expose: [], backends: [backend('r1', 1, { a: mine.port })] },
      { name: 'caller', expose: [], calls: ['callee'] },
    );
    expect((await ask(rig.internalPort, { path: '/callee', headers: { 'x-sluice-token': token('caller') } })).body).toBe('mine');
  });
});

describe('a drain', () => {
  test('refuses new connections, finishes what runs and then ends', async () => {
    let held: ServerResponse | undefined;
    const upstream = await rig.serve((_req, res) => {
      held = res;
    });
    await rig.route({ backends: [backend('r1', 1, { a: upstream.port })] });
    const answer = ask(rig.publicPort);
    await until('the instance to be asked', () => held);
    const drained = rig.gateway.drain(10_000);
    await expect(ask(rig.publicPort)).rejects.toThrow('ECONNREFUSED');
    held?.end('finished');
    expect(await answer).toMatchObject({ body: 'finished', headers: { connection: 'close' } });
    await drained;
  });

  test('breaks off at its deadline', async () => {
    const upstream = await rig.serve((_req, res) => res.write('endless'));
    await rig.route({ backends: [backend('r1', 1, { a: upstream.port })] });
    const connection = await rawConnection(rig.publicPort);
    connection.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await connection.receives('endless');
    await rig.gateway.drain(50);
    expect(await connection.closed()).not.toMatch(/0\r\n\r\n$/);
  });
});

test('a rolling change under concurrent load fails no request and uses every release', async () => {
  const agentPorts = new Map<string, number>();
  const servers = await Promise.all(
    ['r1', 'r1', 'r2', 'r2', 'r3', 'r3'].map(async (release, index) => {
      const upstream = await rig.serve((req, res) => {
        req.resume();
        req.on('end', () => setImmediate(() => res.end(release)));
      });
      agentPorts.set(`i${index}`, upstream.port);
      return upstream;
    }),
  );
  const at = (index: number): number => agentPorts.get(`i${index}`) as number;
  const drainingAt = (index: number): { port: number; draining: true } => ({ port: at(index), draining: true });
  await rig.route({ backends: [backend('r1', 1, { i0: at(0), i1: at(1) })] });

  const seen: Record<string, number> = {};
  const done = new AbortController();
  const client = async (method: string): Promise<void> => {
    while (!done.signal.aborted) {
      const { status, body } = await ask(rig.publicPort, { method }, method === 'POST' ? 'payload' : undefined);
      seen[`${status} ${body}`] = (seen[`${status} ${body}`] ?? 0) + 1;
    }
  };
  const clients = Array.from({ length: 8 }, (_each, index) => client(index % 2 === 0 ? 'GET' : 'POST'));

  for (const [from, to] of [
    [0, 2],
    [2, 4],
  ] as const) {
    const [old, next] = [`r${from / 2 + 1}`, `r${to / 2 + 1}`];
    await rig.route({
      backends: [backend(old, 1, { [`i${from}`]: at(from), [`i${from + 1}`]: at(from + 1) }), backend(next, 1, { [`i${to}`]: at(to) })],
    });
    await until(`${next} to be used`, () => (seen[`200 ${next}`] ?? 0) > 20);
    await rig.route({
      backends: [
        backend(old, 0, { [`i${from}`]: drainingAt(from), [`i${from + 1}`]: drainingAt(from + 1) }),
        backend(next, 1, { [`i${to}`]: at(to), [`i${to + 1}`]: at(to + 1) }),
      ],
    });
    await until(`${old} to be idle`, () => rig.inFlight(`i${from}`) === 0 && rig.inFlight(`i${from + 1}`) === 0);
    for (const index of [from, from + 1]) servers[index]?.server.close();
  }
  await until('the last release to be used', () => (seen['200 r3'] ?? 0) > 100);
  done.abort();
  await Promise.all(clients);
  expect(Object.keys(seen).toSorted()).toEqual(['200 r1', '200 r2', '200 r3']);
});

test('a fault of the gateway in one request is answered with 500, touches no other and leaves nothing in flight', async () => {
  let isBroken = false;
  const sound = seededRandom(3);
  const next = (): number => {
    if (isBroken) throw new Error('defect');
    return sound.next();
  };
  const faulty = await createRig({}, { ...sound, next });
  const upstream = await faulty.serve(named('fine'));
  await faulty.route({ backends: [backend('r1', 1, { a: upstream.port })] });
  isBroken = true;
  const failed = await ask(faulty.publicPort);
  isBroken = false;
  expect(failed.status).toBe(500);
  expect(failed.body).not.toContain('defect');
  expect(JSON.parse(failed.body)).toMatchObject({ error: { code: 'gateway_failure' } });
  expect((await ask(faulty.publicPort)).body).toBe('fine');
  await until('nothing in flight', () => faulty.gateway.report().inFlight === 0 && faulty.inFlight('a') === 0);
  await faulty.close();
});
