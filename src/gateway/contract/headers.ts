import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, exchangeBytes } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';

export function describeHeaders(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  let seen: IncomingHttpHeaders = {};
  let rawSeen: readonly string[] = [];
  let answerHeaders: string[] = [];

  beforeAll(async () => {
    gateway = await kind.create();
    const upstream = await gateway.serve((req, res) => {
      seen = req.headers;
      rawSeen = req.rawHeaders;
      res.writeHead(200, answerHeaders);
      res.end('ok');
    });
    await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
  });
  afterAll(() => gateway.close());

  const hexOf = (length: number): RegExp => new RegExp(`^[0-9a-f]{${length}}$`);

  describe('the header an instance gets', () => {
    test('keeps the host and end-to-end fields, with their spelling and order', async () => {
      await exchangeBytes(
        gateway.publicPort,
        'GET / HTTP/1.1\r\nHost: App.Test:123\r\nX-One: 1\r\nx-TWO: 2\r\nX-One: 3\r\nConnection: close\r\n\r\n',
      );
      const expected = ['Host', 'App.Test:123', 'X-One', '1', 'x-TWO', '2', 'X-One', '3'];
      expect(rawSeen.slice(0, 8)).toEqual(
        kind.can.keepsSpelling ? expected : expected.map((each, at) => (at % 2 === 0 ? each.toLowerCase() : each)),
      );
    });

    test('says where the request came from, whatever the client claimed', async () => {
      await ask(gateway.publicPort, {
        headers: {
          host: 'app.test:1',
          forwarded: 'for=6.6.6.6',
          'x-forwarded-for': '6.6.6.6',
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'evil.test',
          'x-forwarded-port': '1',
          'x-real-ip': '6.6.6.6',
          x_forwarded_for: '6.6.6.6',
        },
      });
      expect(seen).toMatchObject({
        forwarded: 'for=127.0.0.1;host="app.test:1";proto=http',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'app.test:1',
      });
      expect(JSON.stringify(rawSeen)).not.toMatch(/6\.6\.6\.6|evil|x-real-ip|x-forwarded-port/);
    });

    test('has no hop-by-hop fields, not even those that Connection names', async () => {
      await ask(gateway.publicPort, {
        headers: {
          connection: 'close, X-Secret-Hop, Keep-Alive',
          'x-secret-hop': '1',
          'keep-alive': 'timeout=1',
          'proxy-connection': 'x',
          'proxy-authorization': 'Basic x',
          te: 'gzip',
          upgrade: 'h2c',
          'http2-settings': 'AAM',
        },
      });
      for (const name of ['x-secret-hop', 'proxy-connection', 'proxy-authorization', 'te', 'upgrade', 'http2-settings']) {
        expect(seen).not.toHaveProperty(name);
      }
      expect(seen.connection ?? 'keep-alive').toBe('keep-alive');
    });

    test('cannot be robbed of the gateway’s own fields by naming them in Connection', async () => {
      await ask(
        gateway.publicPort,
        { method: 'POST', headers: { connection: 'close, x-forwarded-for, host, content-length, x-request-id' } },
        'abc',
      );
      expect(seen).toMatchObject({ host: 'app.test', 'x-forwarded-for': '127.0.0.1', 'content-length': '3' });
      expect(seen['x-request-id']).toBeTruthy();
    });

    test('has no x-sluice field from a public client', async () => {
      await ask(gateway.publicPort, {
        headers: { 'x-sluice-caller': 'admin', 'X-Sluice-Token': 't', 'x-sluice-anything': '1', x_sluice_caller: 'admin' },
      });
      expect(Object.keys(seen).filter((name) => /sluice/.test(name))).toEqual([]);
    });

    test('says whether the client takes trailers', async () => {
      await ask(gateway.publicPort, { headers: { te: 'trailers, deflate;q=0.5' } });
      expect(seen.te).toBe('trailers');
    });
  });

  describe('request ids and traces', () => {
    test('a sane request id is kept and comes back', async () => {
      const answer = await ask(gateway.publicPort, { headers: { 'x-request-id': 'abc-123_x.y:z' } });
      expect(seen['x-request-id']).toBe('abc-123_x.y:z');
      expect(answer.headers['x-request-id']).toBe('abc-123_x.y:z');
    });

    test.each([
      ['with spaces', 'a b'],
      ['too long', 'x'.repeat(129)],
      ['empty', ''],
      ['with markup', '<script>'],
      ['none', undefined],
    ])('a request id %s is replaced by a new one', async (_name, id) => {
      await ask(gateway.publicPort, { headers: id === undefined ? {} : { 'x-request-id': id } });
      expect(seen['x-request-id']).toMatch(hexOf(32));
    });

    test('two requests never share a generated id', async () => {
      await ask(gateway.publicPort);
      const first = seen['x-request-id'];
      await ask(gateway.publicPort);
      expect(seen['x-request-id']).not.toBe(first);
    });

    test('a valid traceparent is passed on with its state', async () => {
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      await ask(gateway.publicPort, { headers: { traceparent, tracestate: 'vendor=1' } });
      expect(seen).toMatchObject({ traceparent, tracestate: 'vendor=1' });
    });

    test.each([
      '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
      'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more',
      'nonsense',
    ])('an invalid traceparent (%s) is replaced and its state dropped', async (traceparent) => {
      await ask(gateway.publicPort, { headers: { traceparent, tracestate: 'vendor=1' } });
      expect(seen['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(seen['traceparent']).not.toContain('4bf92f3577b34da6');
      expect(seen['tracestate']).toBeUndefined();
    });
  });

  describe('the header a client gets', () => {
    test('has no hop-by-hop fields of the instance', async () => {
      answerHeaders = ['Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'Proxy-Authenticate', 'Basic', 'X-End', '2', 'Content-Length', '2'];
      const answer = await ask(gateway.publicPort);
      answerHeaders = [];
      expect(answer.headers).not.toHaveProperty('x-hop');
      expect(answer.headers).not.toHaveProperty('proxy-authenticate');
      expect(answer.headers['x-end']).toBe('2');
    });

    test('keeps the date and the request id of the instance', async () => {
      answerHeaders = ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT', 'X-Request-Id', 'own'];
      const answer = await ask(gateway.publicPort);
      answerHeaders = [];
      expect(
        answer.rawHeaders.filter((_each, index) => index % 2 === 0).filter((name) => /^(date|x-request-id)$/i.test(name)),
      ).toHaveLength(2);
      expect(answer.headers).toMatchObject({ date: 'Thu, 01 Jan 1970 00:00:00 GMT', 'x-request-id': 'own' });
    });
  });
}
