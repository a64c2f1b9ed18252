import type { ServerResponse } from 'node:http';
import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../effects/ports.ts';
import { testPort } from '../../testing/test-port.ts';
import { until } from '../../testing/conditions.ts';
import { ask, rawConnection } from '../testing/raw-client.ts';
import { backend, routeOf, token, tokenDigest } from '../testing/rig.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';

const named = (name: string) => (_req: unknown, res: ServerResponse) => res.end(name);

export function describeTables(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  beforeEach(async () => {
    gateway = await kind.create();
  });
  afterEach(() => gateway.close());
  const codeOf = (body: string): string => (JSON.parse(body) as { error: { code: string } }).error.code;

  describe('public routes', () => {
    test('the longest prefix of whole segments wins; what is in no route is 404 without internals', async () => {
      const [root, api, v2] = [await gateway.serve(named('root')), await gateway.serve(named('api')), await gateway.serve(named('v2'))];
      await gateway.route(
        { name: 'root', backends: [backend('r1', 1, { a: root.port })] },
        { name: 'api', expose: [{ host: 'APP.test', path: '/api' }], backends: [backend('r1', 1, { b: api.port })] },
        { name: 'v2', expose: [{ host: 'app.test', path: '/api/v2/' }], backends: [backend('r1', 1, { c: v2.port })] },
      );
      const reached = async (path: string): Promise<string> => (await ask(gateway.publicPort, { path })).body;
      const paths = ['/', '/?q=/api', '/apis', '/API', '/api', '/api?x', '/api/', '/api/v20', '/api/v2', '/api/v2?x', '/api/v2/deep/er'];
      expect(await Promise.all(paths.map(reached))).toEqual([
        ...Array.from({ length: 4 }, () => 'root'),
        ...Array.from({ length: 4 }, () => 'api'),
        ...Array.from({ length: 3 }, () => 'v2'),
      ]);
      const unknown = await ask(gateway.publicPort, { headers: { host: 'unknown.test' } });
      expect(unknown).toMatchObject({ status: 404, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } });
      expect(JSON.parse(unknown.body)).toEqual({
        error: {
          code: 'gateway_route_unknown',
          message: 'No service answers at this address.',
          help: 'Check the host and the path of the request.',
        },
      });
    });

    test('a host is the same in capitals, with a port and with the dot of a full name', async () => {
      const upstream = await gateway.serve(named('x'));
      await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
      for (const host of ['App.Test', 'app.test:8080', 'app.test.', 'APP.TEST.:1']) {
        expect((await ask(gateway.publicPort, { headers: { host } })).body).toBe('x');
      }
    });

    test('every environment has its own port, and one that is no longer listed is closed', async () => {
      const [one, two] = [await gateway.serve(named('one')), await gateway.serve(named('two'))];
      const port = await testPort();
      const table = await gateway.route({ backends: [backend('r1', 1, { a: one.port })] });
      const second = routeOf({ environment: 'two', tokenDigests: [], backends: [backend('r1', 1, { a: two.port })] });
      const listeners = [...table.listeners, { environment: 'two', host: '127.0.0.1', port }];
      await gateway.apply({ version: 2, listeners, services: [...table.services, second] });
      expect([(await ask(gateway.publicPort)).body, (await ask(port)).body]).toEqual(['one', 'two']);
      await gateway.apply({ ...table, version: 3 });
      await until('the port to be closed', () =>
        ask(port).then(
          () => false,
          (error: Error) => error.message.includes('ECONNREFUSED'),
        ),
      );
      expect((await ask(gateway.publicPort)).body).toBe('one');
    });

    test('a taken port refuses the table and changes nothing', async () => {
      const upstream = await gateway.serve(named('kept'));
      const good = await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
      const other = await testPort();
      const listeners = [
        { environment: 'test', host: '127.0.0.1', port: other },
        { environment: 'two', host: '127.0.0.1', port: upstream.port },
      ];
      await expect(gateway.apply({ ...good, version: 9, listeners })).rejects.toMatchObject({ code: 'gateway_port_taken' });
      expect((await ask(gateway.publicPort)).body).toBe('kept');
      expect(await freePort('127.0.0.1', other)).toBe(other);
    });

    test('a service without an instance is 503 with Retry-After', async () => {
      await gateway.route({ backends: [backend('r1', 1, {})] });
      const answer = await ask(gateway.publicPort);
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
      expect(codeOf(answer.body)).toBe('gateway_no_instance');
    });
  });

  describe('the internal listener', () => {
    test('strips the service’s name and the token, says who calls, and enforces what is declared', async () => {
      const upstream = await gateway.serve((req, res) => res.end(JSON.stringify({ url: req.url, ...req.headers })));
      await gateway.route(
        { name: 'callee', expose: [], backends: [backend('r1', 1, { a: upstream.port })] },
        { name: 'caller', expose: [], calls: ['callee', 'later'] },
      );
      const call = (path: string, headers: Record<string, string>) => ask(gateway.internalPort, { path, headers });
      const own = { 'x-sluice-token': token('caller') };
      const seen = JSON.parse(
        (await call('/callee/search?q=1', { ...own, 'x-sluice-caller': 'forged', 'x-sluice-note': 'kept' })).body,
      ) as Record<string, string>;
      expect(seen).toMatchObject({ url: '/search?q=1', host: 'app.test', 'x-sluice-caller': 'caller', 'x-sluice-note': 'kept' });
      expect(seen).not.toHaveProperty('x-sluice-token');
      const named = await call('/callee', { ...own, connection: 'close, x-sluice-caller, traceparent, x-hop', 'x-hop': '1' });
      expect(JSON.parse(named.body)).toMatchObject({ 'x-sluice-caller': 'caller', traceparent: expect.any(String) as string });
      expect(JSON.parse(named.body)).not.toHaveProperty('x-hop');
      for (const [path, expected] of [
        ['/callee', '/'],
        ['/callee/', '/'],
        ['/callee?q=1', '/?q=1'],
        ['/callee//double', '//double'],
      ] as const) {
        expect((JSON.parse((await call(path, own)).body) as { url: string }).url).toBe(expected);
      }
      const refused = async (path: string, headers: Record<string, string>): Promise<string> => {
        const { status, body } = await call(path, headers);
        return `${status} ${codeOf(body)}`;
      };
      expect(await refused('/callee/', {})).toBe('401 gateway_unauthenticated');
      expect(await refused('/callee/', { 'x-sluice-token': 'wrong' })).toBe('401 gateway_unauthenticated');
      expect(await refused('/callee/', { 'x-sluice-token': '' })).toBe('401 gateway_unauthenticated');
      expect(await refused('/callee/', { 'x-sluice-token': token('callee') })).toBe('403 gateway_call_forbidden');
      for (const path of ['/nobody/', '/CALLEE', '/%63allee', '//callee', '/', '/test/callee']) {
        expect(await refused(path, own)).toBe('403 gateway_call_forbidden');
      }
      expect(await refused('/later/', own)).toBe('503 gateway_no_instance');
      expect(JSON.parse((await call('/nobody/', own)).body)).toMatchObject({
        error: { message: "Service 'caller' does not declare that it calls 'nobody'." },
      });
      expect(codeOf((await call('/a"b\\c', own)).body)).toBe('gateway_call_forbidden');
    });

    test('knows the services of the caller’s environment only', async () => {
      const [mine, theirs] = [await gateway.serve(named('mine')), await gateway.serve(named('theirs'))];
      await gateway.route(
        { name: 'callee', environment: 'other', expose: [], tokenDigests: [], backends: [backend('r1', 1, { a: theirs.port })] },
        { name: 'callee', expose: [], backends: [backend('r1', 1, { a: mine.port })] },
        { name: 'caller', expose: [], calls: ['callee'] },
      );
      expect((await ask(gateway.internalPort, { path: '/callee', headers: { 'x-sluice-token': token('caller') } })).body).toBe('mine');
    });

    test('a token is rotated with both in force for a while and no call refused', async () => {
      const upstream = await gateway.serve(named('x'));
      const withTokens = (...names: string[]) =>
        gateway.route(
          { name: 'callee', expose: [], backends: [backend('r1', 1, { a: upstream.port })] },
          { name: 'caller', expose: [], calls: ['callee'], tokenDigests: names.map(tokenDigest) },
        );
      const status = async (name: string): Promise<number> =>
        (await ask(gateway.internalPort, { path: '/callee', headers: { 'x-sluice-token': token(name) } })).status;
      await withTokens('old');
      expect([await status('old'), await status('new')]).toEqual([200, 401]);
      await withTokens('old', 'new');
      expect([await status('old'), await status('new')]).toEqual([200, 200]);
      await withTokens('new');
      expect([await status('old'), await status('new')]).toEqual([401, 200]);
    });
  });

  describe('a switch', () => {
    test('never cuts a running request', async () => {
      let held: ServerResponse | undefined;
      const upstream = await gateway.serve((_req, res) => {
        res.write('begin ');
        held = res;
      });
      await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
      const answer = ask(gateway.publicPort);
      await until('the instance to be asked', () => held);
      await gateway.route({ backends: [backend('r1', 1, { a: { port: upstream.port, draining: true } })] });
      expect((await gateway.report()).instances).toMatchObject([{ state: 'draining', inFlight: 1 }]);
      await gateway.route();
      expect((await gateway.report()).instances).toMatchObject([{ state: 'removed', inFlight: 1 }]);
      held?.end('end');
      expect((await answer).body).toBe('begin end');
      await until('the instance to be forgotten', async () => (await gateway.report()).instances.length === 0);
    });

    test('gives a draining instance nothing new, not even when it is all there is', async () => {
      let asked = 0;
      const leaving = await gateway.serve((_req, res) => {
        asked += 1;
        res.end('leaving');
      });
      const staying = await gateway.serve(named('staying'));
      const draining = { port: leaving.port, draining: true as const };
      await gateway.route({ backends: [backend('r1', 1, { a: draining, b: staying.port }), backend('r2', 5, { c: draining })] });
      for (let index = 0; index < 30; index += 1) expect((await ask(gateway.publicPort)).body).toBe('staying');
      await gateway.route({ backends: [backend('r1', 1, { a: draining })] });
      expect((await ask(gateway.publicPort)).status).toBe(503);
      expect(asked).toBe(0);
    });

    test('that drains an instance leaves it no idle connection, so that it can end at once', async () => {
      const upstream = await gateway.serve(named('x'));
      upstream.server.keepAliveTimeout = 60_000;
      await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
      await ask(gateway.publicPort);
      await gateway.route({ backends: [backend('r1', 1, { a: { port: upstream.port, draining: true } })] });
      const count = (): Promise<number> =>
        new Promise((resolve) => {
          upstream.server.getConnections((_error, connections) => resolve(connections));
        });
      expect(await until('no connection to be left', async () => (await count()) === 0, 3_000)).toBe(true);
    });

    test.each(['keep-alive', 'close'])('under load (%s) fails no request, and later requests see all of it', async (connection) => {
      const [one, two] = [await gateway.serve(named('one')), await gateway.serve(named('two'))];
      const flip = (from: [string, number], to: [string, number]) =>
        gateway.route({
          backends: [backend(from[0], 0, { [from[0]]: { port: from[1], draining: true } }), backend(to[0], 1, { [to[0]]: to[1] })],
        });
      await gateway.route({ backends: [backend('one', 1, { one: one.port })] });
      const done = new AbortController();
      const seen: Record<string, number> = {};
      const client = async (): Promise<void> => {
        const agent = connection === 'close' ? false : new Agent({ keepAlive: true, maxSockets: 1 });
        while (!done.signal.aborted) {
          const { status, body } = await ask(gateway.publicPort, { agent });
          seen[`${status} ${body}`] = (seen[`${status} ${body}`] ?? 0) + 1;
        }
        if (agent) agent.destroy();
      };
      const clients = Array.from({ length: 8 }, client);
      for (let round = 0; round < 10; round += 1) {
        await flip(['one', one.port], ['two', two.port]);
        expect((await ask(gateway.publicPort)).body).toBe('two');
        await flip(['two', two.port], ['one', one.port]);
        expect((await ask(gateway.publicPort)).body).toBe('one');
      }
      done.abort();
      await Promise.all(clients);
      expect(Object.keys(seen).toSorted()).toEqual(['200 one', '200 two']);
    });
  });

  describe('a drain', () => {
    test('refuses new connections, finishes what runs and then ends', async () => {
      let held: ServerResponse | undefined;
      const upstream = await gateway.serve((_req, res) => {
        held = res;
      });
      await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
      const answer = ask(gateway.publicPort);
      await until('the instance to be asked', () => held);
      const drained = gateway.drain(10_000);
      await until('new connections to be refused', () =>
        rawConnection(gateway.publicPort).then(
          (connection) => connection.socket.destroy() === undefined,
          () => true,
        ),
      );
      held?.end('finished');
      expect(await answer).toMatchObject({ body: 'finished', headers: { connection: 'close' } });
      await drained;
    });

    test('breaks off at its deadline', async () => {
      const upstream = await gateway.serve((_req, res) => res.write('endless'));
      await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
      const connection = await rawConnection(gateway.publicPort);
      connection.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
      await connection.receives('endless');
      await gateway.drain(50);
      expect(await connection.closed()).not.toMatch(/0\r\n\r\n$/);
    });
  });

  test.runIf(kind.can.isToldHealth)('an unhealthy instance gets nothing until it is healthy, or all are unhealthy', async () => {
    const [sick, sound] = [await gateway.serve(named('sick')), await gateway.serve(named('sound'))];
    await gateway.route({ backends: [backend('r1', 1, { a: sick.port, b: sound.port })] });
    const answers = async (): Promise<readonly string[]> => {
      const all = await Promise.all(Array.from({ length: 20 }, () => ask(gateway.publicPort)));
      return [...new Set(all.map(({ body }) => body))].toSorted();
    };
    gateway.setHealth('app', 'a', sick.port, false);
    await until('only the sound one to be asked', async () => (await answers()).join() === 'sound');
    gateway.setHealth('app', 'b', sound.port, false);
    await until('both to be tried', async () => (await answers()).join() === 'sick,sound');
    gateway.setHealth('app', 'a', sick.port, true);
    expect(await until('only the healthy one to be asked', async () => (await answers()).join() === 'sick')).toBe(true);
  });
}
