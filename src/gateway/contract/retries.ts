import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testPort } from '../../testing/test-port.ts';
import { until } from '../../testing/conditions.ts';
import { ask, rawConnection } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import { rawInstance } from './instances.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';

export function describeRetries(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  let raw: { close(): void }[] = [];
  beforeEach(async () => {
    gateway = await kind.create({ upstreamKeepAliveMs: 60_000 });
  });
  afterEach(async () => {
    await gateway.close();
    for (const instance of raw) instance.close();
    raw = [];
  });

  async function instanceOfBytes(onData: (socket: Socket, count: number) => void): Promise<number> {
    const instance = await rawInstance(onData);
    raw.push(instance);
    return instance.port;
  }

  const ok = (socket: Socket): boolean => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

  describe('an instance that cannot be reached', () => {
    test.each(['GET', 'POST'])('costs a %s nothing while another can', async (method) => {
      const closed = await testPort();
      const upstream = await gateway.serve((req, res) => req.pipe(res));
      await gateway.route({ backends: [backend('r1', 1, { dead: closed, live: upstream.port })] });
      for (let index = 0; index < 10; index += 1) {
        const answer = await ask(gateway.publicPort, { method }, method === 'POST' ? 'body' : undefined);
        expect(answer).toMatchObject({ status: 200, body: method === 'POST' ? 'body' : '' });
      }
      expect(await gateway.inFlight('dead')).toBe(0);
    });

    test('is 502 when there is no other, and is still tried when all are unhealthy', async () => {
      const port = await testPort();
      await gateway.route({ backends: [backend('r1', 1, { a: port })] });
      const refused = await ask(gateway.publicPort);
      expect(refused.status).toBe(502);
      expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'gateway_upstream_unreachable' } });
      const revived = await gateway.serve((_req, res) => res.end('back'));
      await gateway.route({ backends: [backend('r1', 1, { a: port, b: revived.port })] });
      expect((await ask(gateway.publicPort)).body).toBe('back');
    });

    test('is tried no more often than the limit says', async () => {
      const instances: Record<string, number> = {};
      for (let index = 0; index < 8; index += 1) instances[`i${index}`] = await testPort();
      await gateway.route({ backends: [backend('r1', 1, instances)] });
      expect((await ask(gateway.publicPort)).status).toBe(502);
    });
  });

  describe('a kept connection that was closed meanwhile', () => {
    test.runIf(kind.can.repeatsOnClosedConnections)('costs a GET nothing', async () => {
      const port = await instanceOfBytes((socket, count) => (count === 1 ? ok(socket) : socket.destroy()));
      await gateway.route({ backends: [backend('r1', 1, { a: port })] });
      for (let index = 0; index < 6; index += 1) expect((await ask(gateway.publicPort)).status).toBe(200);
    });

    test('fails a POST without a body, which may have been carried out', async () => {
      const port = await instanceOfBytes((socket, count) => (count === 1 ? ok(socket) : socket.destroy()));
      await gateway.route({ backends: [backend('r1', 1, { a: port })] });
      expect((await ask(gateway.publicPort)).status).toBe(200);
      const failed = await ask(gateway.publicPort, { method: 'POST' });
      expect(failed.status).toBe(502);
      expect(JSON.parse(failed.body)).toMatchObject({ error: { code: 'gateway_upstream_failed' } });
    });

    test.runIf(kind.can.repeatsOnClosedConnections)('costs a POST nothing while none of its body was sent', async () => {
      let isCut = false;
      const port = await instanceOfBytes((socket, count) => {
        if (count === 1) ok(socket);
        else isCut = socket.destroy().destroyed;
      });
      await gateway.route({ backends: [backend('r1', 1, { a: port })] });
      expect((await ask(gateway.publicPort)).status).toBe(200);
      const connection = await rawConnection(gateway.publicPort);
      connection.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\nConnection: close\r\n\r\n');
      await until('the kept connection to be cut', () => isCut);
      connection.send('late');
      expect(await connection.closed()).toMatch(/^HTTP\/1\.1 200 /);
    });
  });

  describe('answers that are not valid HTTP', () => {
    test.each([
      ['nonsense', 'nonsense\r\n\r\n'],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
      ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
      ['a header that is too large', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`],
      ['a folded header', 'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
      ['a switch nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
    ])('%s: 502', async (name, bytes) => {
      if (kind.can.accepts.has(`an answer with ${name}`)) return;
      const port = await instanceOfBytes((socket) => socket.end(bytes));
      await gateway.route({ backends: [backend('r1', 1, { a: port })] });
      expect((await ask(gateway.publicPort)).status).toBe(502);
      await until('nothing in flight', async () => (await gateway.inFlight('a')) === 0);
    });

    test('what an instance sends after its answer is never taken for the next one', async () => {
      const port = await instanceOfBytes((socket, count) => {
        if (count === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
        else ok(socket);
      });
      await gateway.route({ backends: [backend('r1', 1, { a: port })] });
      for (let index = 0; index < 4; index += 1) expect((await ask(gateway.publicPort)).body).toBe('ok');
    });

    test('a connection closed before any answer: 502 and one attempt', async () => {
      let attempts = 0;
      const port = await instanceOfBytes((socket) => {
        attempts += 1;
        socket.destroy();
      });
      await gateway.route({ backends: [backend('r1', 1, { a: port, b: port })] });
      expect((await ask(gateway.publicPort)).status).toBe(502);
      expect(attempts).toBe(1);
    });
  });
}
