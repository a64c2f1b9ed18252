import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { backend } from '../testing/rig.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';
import { exchangeBytes, rawConnection } from '../testing/raw-client.ts';

export function describeMalformed(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  let seen: string[] = [];

  beforeAll(async () => {
    gateway = await kind.create();
    const upstream = await gateway.serve((req, res) => {
      let body = '';
      // Of the test it came in.
      const mine = seen;
      req.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
      });
      req.on('end', () => {
        mine.push(`${req.method} ${req.url} ${body}`);
        res.end('ok');
      });
    });
    await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
  });
  afterAll(() => gateway.close());

  const get = (extra: string): string => `GET / HTTP/1.1\r\nHost: app.test\r\n${extra}\r\n`;
  const post = (extra: string, body = ''): string => `POST / HTTP/1.1\r\nHost: app.test\r\n${extra}\r\n${body}`;
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n';

  /** name, bytes, status: each must be refused with this status, and nothing may reach the instance. */
  const refused: readonly (readonly [string, string, number])[] = [
    ['Content-Length and Transfer-Encoding', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`), 400],
    ['Transfer-Encoding and Content-Length', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${smuggled}`), 400],
    ['two equal Content-Lengths', post('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab'), 400],
    ['two different Content-Lengths', post('Content-Length: 2\r\nContent-Length: 40\r\n', `ab${smuggled}`), 400],
    ['a list of Content-Lengths', post('Content-Length: 2, 2\r\n', 'ab'), 400],
    ['a signed Content-Length', post('Content-Length: +2\r\n', 'ab'), 400],
    ['a negative Content-Length', post('Content-Length: -2\r\n', 'ab'), 400],
    ['a hexadecimal Content-Length', post('Content-Length: 0x2\r\n', 'ab'), 400],
    ['a fractional Content-Length', post('Content-Length: 2.0\r\n', 'ab'), 400],
    ['a Content-Length with a space inside', post('Content-Length: 2 2\r\n', 'ab'), 400],
    ['an empty Content-Length', post('Content-Length: \r\n', 'ab'), 400],
    ['a Content-Length beyond 64 bits', post('Content-Length: 99999999999999999999999\r\n', 'ab'), 400],
    ['a Content-Length beyond safe integers', post('Content-Length: 9999999999999999\r\n', 'ab'), 400],
    ['a space before the colon of Content-Length', post('Content-Length : 2\r\n', 'ab'), 400],
    ['a space before the colon of Transfer-Encoding', post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${smuggled}`), 400],
    ['a tab before the colon of Transfer-Encoding', post('Transfer-Encoding\t: chunked\r\n', `0\r\n\r\n${smuggled}`), 400],
    ['two Transfer-Encodings', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
    ['chunked and identity', post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${smuggled}`), 400],
    ['an unknown coding before chunked', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501],
    ['identity before chunked', post('Transfer-Encoding: identity, chunked\r\n', '0\r\n\r\n'), 501],
    ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 400],
    ['a coding that only ends like chunked', post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`), 501],
    ['a coding that only begins like chunked', post('Transfer-Encoding: chunkedx\r\n', `0\r\n\r\n${smuggled}`), 501],
    ['a quoted coding', post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${smuggled}`), 501],
    ['identity alone', post('Transfer-Encoding: identity\r\n', smuggled), 501],
    ['a vertical tab before chunked', post('Transfer-Encoding: \x0bchunked\r\n', `0\r\n\r\n${smuggled}`), 400],
    ['an empty Transfer-Encoding', post('Transfer-Encoding: \r\n', `0\r\n\r\n${smuggled}`), 400],
    ['Transfer-Encoding in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['a folded header', get('X-A: one\r\n two\r\n'), 400],
    ['a folded Transfer-Encoding', post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${smuggled}`), 400],
    ['a header that begins with a space', `GET / HTTP/1.1\r\n X-A: b\r\nHost: app.test\r\n\r\n`, 400],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: app.test\n\n', 400],
    ['a bare line feed within the header', 'GET / HTTP/1.1\r\nHost: app.test\nX-A: b\r\n\r\n', 400],
    ['a bare line feed at the end of the header', 'GET / HTTP/1.1\r\nHost: app.test\r\n\n', 400],
    ['a bare carriage return in a value', get('X-A: b\rX-B: c\r\n'), 400],
    ['a bare carriage return as line end', 'GET / HTTP/1.1\rHost: app.test\r\r', 400],
    ['a NUL in a value', get('X-A: b\0c\r\n'), 400],
    ['a NUL in a name', get('X\0A: b\r\n'), 400],
    ['a control character in a name', get('X\x01A: b\r\n'), 400],
    ['a space in a name', get('X A: b\r\n'), 400],
    ['a name of high bytes', get('X\xe4A: b\r\n'), 400],
    ['an empty name', get(': b\r\n'), 400],
    ['a line without a colon', get('nonsense\r\n'), 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400],
    ['two Hosts', get('Host: other.test\r\n'), 400],
    ['two equal Hosts', get('Host: app.test\r\n'), 400],
    ['a Host with a path', 'GET / HTTP/1.1\r\nHost: app.test/x\r\n\r\n', 400],
    ['a Host with credentials', 'GET / HTTP/1.1\r\nHost: other.test@app.test\r\n\r\n', 400],
    ['a Host with a comma', 'GET / HTTP/1.1\r\nHost: app.test, other.test\r\n\r\n', 400],
    ['a Host with a space', 'GET / HTTP/1.1\r\nHost: app.test other.test\r\n\r\n', 400],
    ['a Host with a port that is no number', 'GET / HTTP/1.1\r\nHost: app.test:80a\r\n\r\n', 400],
    ['a Host with a quote', 'GET / HTTP/1.1\r\nHost: "app.test"\r\n\r\n', 400],
    ['no version', 'GET /\r\nHost: app.test\r\n\r\n', 400],
    ['version 0.9', 'GET / HTTP/0.9\r\nHost: app.test\r\n\r\n', 400],
    ['version 2.0', 'GET / HTTP/2.0\r\nHost: app.test\r\n\r\n', 400],
    ['version 1.2', 'GET / HTTP/1.2\r\nHost: app.test\r\n\r\n', 400],
    ['version 1.10', 'GET / HTTP/1.10\r\nHost: app.test\r\n\r\n', 400],
    ['a lower-case protocol', 'GET / http/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['a lower-case method', 'get / HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['a space before the method', ' GET / HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['a tab in the request line', 'GET\t/\tHTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['a target without a slash', 'GET app HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['a target of high bytes', 'GET /\xe4 HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['an absolute target for another host', 'GET http://other.test/ HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['an absolute target of another scheme', 'GET ftp://app.test/ HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['CONNECT', 'CONNECT app.test:80 HTTP/1.1\r\nHost: app.test:80\r\n\r\n', 501],
    ['dot segments', 'GET /public/../private HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['encoded dot segments', 'GET /public/%2E%2e/private HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['dot segments after an encoded slash', 'GET /public%2f..%2fprivate HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['dot segments with backslashes', 'GET /public\\..\\private HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['dot segments with a path parameter', 'GET /public/..;/private HTTP/1.1\r\nHost: app.test\r\n\r\n', 400],
    ['an expectation other than 100-continue', get('Expect: a-miracle\r\n'), 417],
    ['a header of 40 KB', get(`X-A: ${'a'.repeat(40_000)}\r\n`), 431],
    ['a target of 40 KB', `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: app.test\r\n\r\n`, 431],
    ['201 headers', get('X-A: b\r\n'.repeat(201)), 431],
    ['2,500 headers', get('a:b\r\n'.repeat(2_500)), 431],
    ['a chunk size that is no number', post('Transfer-Encoding: chunked\r\n', 'zz\r\nab\r\n0\r\n\r\n'), 400],
    ['a chunk size with a prefix', post('Transfer-Encoding: chunked\r\n', '0x2\r\nab\r\n0\r\n\r\n'), 400],
    ['a negative chunk size', post('Transfer-Encoding: chunked\r\n', '-2\r\nab\r\n0\r\n\r\n'), 400],
    ['a chunk size beyond 64 bits', post('Transfer-Encoding: chunked\r\n', 'fffffffffffffffff\r\nab\r\n0\r\n\r\n'), 400],
    ['a chunk longer than its size', post('Transfer-Encoding: chunked\r\n', '2\r\nabc\r\n0\r\n\r\n'), 400],
    ['a chunk size ended by a bare line feed', post('Transfer-Encoding: chunked\r\n', '2\nab\r\n0\r\n\r\n'), 400],
    ['a chunk ended by a bare line feed', post('Transfer-Encoding: chunked\r\n', '2\r\nab\n0\r\n\r\n'), 400],
    ['an empty chunk size', post('Transfer-Encoding: chunked\r\n', '\r\nab\r\n0\r\n\r\n'), 400],
    ['a space before a chunk size', post('Transfer-Encoding: chunked\r\n', ' 2\r\nab\r\n0\r\n\r\n'), 400],
    ['a chunk extension with a bare line feed', post('Transfer-Encoding: chunked\r\n', '2;a\nb\r\nab\r\n0\r\n\r\n'), 400],
    ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a SOCKS greeting', '\x05\x01\x00', 400],
  ];

  describe('ambiguous or broken requests', () => {
    test.each(refused)('refuses %s', async (name, bytes, status) => {
      seen = [];
      const connection = await rawConnection(gateway.publicPort);
      connection.send(Buffer.from(bytes, 'latin1'));
      if (kind.can.accepts.has(name)) connection.socket.end();
      const answer = await connection.closed();
      if (kind.can.accepts.has(name)) {
        expect(seen.length).toBeLessThanOrEqual(1);
        expect(seen.join()).not.toContain('smuggled');
        connection.socket.destroy();
        // What is accepted may reach the instance after its client has gone.
        await until('nothing in flight', async () => (await gateway.report()).inFlight === 0);
        return;
      }
      const given = answer.match(/^HTTP\/1\.1 (\d+)/)?.[1];
      if (kind.can.explainsBrokenRequests) expect(given).toBe(String(status));
      else expect(['400', '422', String(status)]).toContain(given);
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toHaveLength(1);
      if (kind.can.explainsBrokenRequests) expect(answer).toContain('"code":"gateway_');
      expect(seen).toEqual([]);
      await until('nothing in flight', async () => (await gateway.report()).inFlight === 0);
    });
  });

  /** name, bytes, what the instance sees: unusual, but only one reading is possible. */
  const accepted: readonly (readonly [string, string, string])[] = [
    ['an empty line before the request', `\r\n${get('Connection: close\r\n')}`, 'GET / '],
    [
      'an absolute target for the same host',
      'GET http://app.test/x?y HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n',
      'GET /x?y ',
    ],
    ['an absolute target without a path', 'GET http://APP.test HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n', 'GET / '],
    ['a host in capitals with a dot and a port', 'GET / HTTP/1.1\r\nHOST: APP.Test.:8080\r\nConnection: close\r\n\r\n', 'GET / '],
    ['two spaces in the request line', 'GET  / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n', 'GET / '],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: app.test\r\n\r\n', 'GET / '],
    ['chunked in capitals', post('Transfer-Encoding: CHUNKED\r\nConnection: close\r\n', '2\r\nab\r\n0\r\n\r\n'), 'POST / ab'],
    ['a chunk extension', post('Transfer-Encoding: chunked\r\nConnection: close\r\n', '2;a=b\r\nab\r\n0\r\n\r\n'), 'POST / ab'],
    ['a GET with a body', get('Content-Length: 2\r\nConnection: close\r\n').concat('ab'), 'GET / ab'],
    [
      'dots within segments',
      'GET /.well-known/a..b/...x?p=../q HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n',
      'GET /.well-known/a..b/...x?p=../q ',
    ],
    ['an offer of HTTP/2, which is ignored', get('Upgrade: h2c\r\nConnection: close, Upgrade\r\n'), 'GET / '],
  ];

  describe('unusual requests', () => {
    test.each(accepted)('passes %s', async (_name, bytes, expected) => {
      seen = [];
      const answer = await exchangeBytes(gateway.publicPort, bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(seen).toEqual([expected]);
    });

    test('answers pipelined requests in order, and garbage after them does not cut their answers', async () => {
      seen = [];
      const answer = await exchangeBytes(gateway.publicPort, `${get('')}${post('Content-Length: 2\r\n', 'ab')}GARBAGE\r\n\r\n`);
      expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
      expect(seen.toSorted()).toEqual(['GET / ', 'POST / ab']);
    });

    test('a body that breaks off is not delivered as a whole request', async () => {
      seen = [];
      const connection = await rawConnection(gateway.publicPort);
      connection.send(post('Content-Length: 10\r\n', 'abc'));
      connection.socket.destroy();
      const after = await exchangeBytes(gateway.publicPort, get('Connection: close\r\n'));
      expect(after).toMatch(/^HTTP\/1\.1 200 /);
      expect(seen).toEqual(['GET / ']);
    });
  });
}
