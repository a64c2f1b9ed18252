import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { ask, exchangeBytes, rawConnection } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';

export function describeProxying(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  type Handler = (req: IncomingMessage, res: ServerResponse) => void;
  let handler: Handler = (_req, res) => res.end();

  beforeAll(async () => {
    gateway = await kind.create();
    const upstream = await gateway.serve((req, res) => handler(req, res));
    upstream.server.on('checkContinue', (req, res) => handler(req, res));
    await gateway.route({ backends: [backend('r1', 1, { a: upstream.port })] });
  });
  afterAll(() => gateway.close());

  const get = (target: string, extra = ''): string => `GET ${target} HTTP/1.1\r\nHost: app.test\r\n${extra}\r\n`;

  /** A large body that tells how much of it has been taken. */
  /** Kernels keep up to some 36 MB on each of two connections: it is more than that. */
  function slowlyConsumed(): { size: number; stream: Readable; heldBackAt: () => Promise<number> } {
    const chunk = Buffer.alloc(64 * 1024);
    const chunks = 1_536;
    let taken = 0;
    const stream = Readable.from(
      (function* () {
        for (; taken < chunks; taken += 1) yield chunk;
      })(),
      { objectMode: false },
    );
    const heldBackAt = async (): Promise<number> => {
      let before = 0;
      let still = 0;
      await until('nothing more to be taken', () => {
        still = taken === before && taken > 0 ? still + 1 : 0;
        before = taken;
        return still > 10;
      });
      return taken * chunk.length;
    };
    return { size: chunks * chunk.length, stream, heldBackAt };
  }

  describe('answers', () => {
    test('keep status, reason, repeated headers and body', async () => {
      handler = (_req, res) => {
        res.writeHead(418, 'Short And Stout', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Odd', 'caf\xe9']);
        res.end('teapot');
      };
      const answer = await exchangeBytes(gateway.publicPort, get('/', 'Connection: close\r\n'));
      expect(answer).toMatch(/^HTTP\/1\.1 418 Short And Stout\r\n/);
      const fields = 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Odd: caf\xe9\r\n';
      expect(answer).toContain(kind.can.keepsSpelling ? fields : fields.toLowerCase());
      expect(answer).toContain('teapot');
    });

    test('to HEAD have the length but no body, and the connection stays usable', async () => {
      handler = (req, res) => {
        res.writeHead(200, { 'content-length': 5 });
        res.end(req.method === 'HEAD' ? undefined : 'hello');
      };
      const connection = await rawConnection(gateway.publicPort);
      connection.send(`HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n${get('/', 'Connection: close\r\n')}`);
      const answer = await connection.closed();
      expect(answer.match(/content-length: 5/g)).toHaveLength(2);
      expect(answer.match(/hello/g)).toHaveLength(1);
    });

    test.each([204, 304])('with status %i have no body and no framing', async (status) => {
      handler = (_req, res) => res.writeHead(status).end();
      const answer = await ask(gateway.publicPort);
      expect(answer).toMatchObject({ status, body: '' });
      expect(answer.headers['transfer-encoding']).toBeUndefined();
    });

    test('of unknown length reach an HTTP/1.0 client without chunks', async () => {
      handler = (_req, res) => {
        res.write('one');
        res.end('two');
      };
      const answer = await exchangeBytes(gateway.publicPort, 'GET / HTTP/1.0\r\nHost: app.test\r\n\r\n');
      expect(answer).toMatch(/\r\n\r\nonetwo$/);
    });

    test('carry trailers', async () => {
      handler = (_req, res) => {
        res.writeHead(200, { trailer: 'x-sum' });
        res.write('data');
        res.addTrailers({ 'x-sum': '42', 'set-cookie': 'a=b' });
        res.end();
      };
      const answer = await ask(gateway.publicPort);
      expect(answer.headers.trailer).toBe('x-sum');
      expect(answer.trailers['x-sum']).toBe('42');
      if (kind.can.filtersTrailers) expect(answer.trailers).toEqual({ 'x-sum': '42' });
    });

    test('stream event by event, the header before the first event', async () => {
      let stream: ServerResponse | undefined;
      handler = (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.flushHeaders();
        stream = res;
      };
      const connection = await rawConnection(gateway.publicPort);
      connection.send(get('/events'));
      await connection.receives('text/event-stream');
      stream?.write('data: 1\n\n');
      await connection.receives('data: 1\n\n');
      stream?.write('data: 2\n\n');
      await connection.receives('data: 2\n\n');
      stream?.end();
      expect(await connection.receives('0\r\n\r\n')).toMatch(/data: 1\n\n[^]*data: 2\n\n/);
      connection.socket.destroy();
    });

    test('that break off never look complete', async () => {
      handler = (_req, res) => {
        res.write('half');
        setImmediate(() => res.socket?.destroy());
      };
      await expect(ask(gateway.publicPort)).rejects.toThrow(/aborted|ECONNRESET|hang up/);
      handler = (_req, res) => {
        res.writeHead(200, { 'content-length': 100 });
        res.write('half');
        setImmediate(() => res.socket?.destroy());
      };
      await expect(ask(gateway.publicPort)).rejects.toThrow(/aborted|ECONNRESET|hang up/);
      await until('nothing in flight', async () => (await gateway.inFlight('a')) === 0);
    });

    test('are held back when the client does not read', async () => {
      const source = slowlyConsumed();
      handler = (_req, res) => {
        res.writeHead(200, { 'content-length': source.size });
        source.stream.pipe(res);
      };
      const connection = await rawConnection(gateway.publicPort);
      connection.socket.pause();
      connection.send(get('/', 'Connection: close\r\n'));
      expect(await source.heldBackAt()).toBeLessThan(source.size * 0.85);
      let received = 0;
      connection.socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      connection.socket.resume();
      await until('all of it', () => received > source.size);
      connection.socket.destroy();
      await until('nothing in flight', async () => (await gateway.inFlight('a')) === 0);
    });

    test('with early hints pass them on', async () => {
      handler = (_req, res) => {
        res.writeEarlyHints({ link: '</style.css>; rel=preload' });
        res.end('page');
      };
      const answer = await exchangeBytes(gateway.publicPort, get('/', 'Connection: close\r\n'));
      expect(answer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK/i);
    });
  });

  describe('requests', () => {
    test('stream large bodies both ways unchanged', async () => {
      handler = (req, res) => req.pipe(res);
      const sent = randomBytes(24 * 1024 * 1024);
      const asked = request({ host: '127.0.0.1', port: gateway.publicPort, method: 'POST', headers: { host: 'app.test' }, agent: false });
      asked.end(sent);
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      expect((await buffer(response)).equals(sent)).toBe(true);
    });

    test('are held back when the instance does not read', async () => {
      let paused: IncomingMessage | undefined;
      handler = (req, res) => {
        paused = req;
        req.on('end', () => res.end('done'));
      };
      const connection = await rawConnection(gateway.publicPort);
      const source = slowlyConsumed();
      connection.send(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${source.size}\r\n\r\n`);
      source.stream.pipe(connection.socket, { end: false });
      await until('the instance to be asked', () => paused);
      expect(await source.heldBackAt()).toBeLessThan(source.size * 0.85);
      paused?.resume();
      await connection.receives('done');
      connection.socket.destroy();
    });

    test('carry trailers', async () => {
      handler = (req, res) => {
        req.resume();
        req.on('end', () => res.end(JSON.stringify(req.trailers)));
      };
      const bytes =
        'POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 42\r\nHost: evil\r\n\r\n';
      expect(await exchangeBytes(gateway.publicPort, bytes)).toContain(kind.can.filtersTrailers ? '{"x-sum":"42"}' : '{"x-sum":"42"');
    });

    test('without a body stay without one', async () => {
      handler = (req, res) => res.end(`${req.headers['content-length']} ${req.headers['transfer-encoding']}`);
      expect((await ask(gateway.publicPort)).body).toBe('undefined undefined');
      const bytes = 'POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n';
      expect(await exchangeBytes(gateway.publicPort, bytes)).toMatch(/(?:0|undefined) undefined/);
    });

    test('that expect 100-continue wait for the instance to say so', async () => {
      let answerLater: (() => void) | undefined;
      handler = (req, res) => {
        answerLater = () => {
          res.writeContinue();
          req.on('data', () => {});
          req.on('end', () => res.end('got it'));
        };
      };
      const connection = await rawConnection(gateway.publicPort);
      connection.send('POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
      await until('the instance to be asked', () => answerLater);
      expect(connection.received()).toBe('');
      answerLater?.();
      await connection.receives('HTTP/1.1 100 Continue\r\n\r\n');
      connection.send('ab');
      expect(await connection.closed()).toContain('got it');
    });

    test('that expect 100-continue and are refused end the connection, as the body may or may not follow', async () => {
      handler = (_req, res) => {
        res.writeHead(413);
        res.end('too large');
      };
      const bytes = 'POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
      const connection = await rawConnection(gateway.publicPort);
      connection.send(bytes);
      expect(await connection.receives(/too large/)).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i);
      connection.socket.end();
      await connection.closed();
    });

    test('whose client goes away are aborted at the instance', async () => {
      let isAborted = false;
      handler = (_req, res) => {
        res.write('begin');
        res.on('close', () => {
          isAborted = true;
        });
      };
      const connection = await rawConnection(gateway.publicPort);
      connection.send(get('/'));
      await connection.receives('begin');
      expect(await gateway.inFlight('a')).toBe(1);
      connection.socket.destroy();
      await until('the instance to notice', () => isAborted);
      await until('nothing in flight', async () => (await gateway.inFlight('a')) === 0);
    });

    test('may be answered before their body has arrived', async () => {
      handler = (_req, res) => {
        res.writeHead(200, { 'content-length': 5 });
        res.end('early');
      };
      const connection = await rawConnection(gateway.publicPort);
      connection.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 6\r\n\r\nabc');
      await connection.receives('early');
      connection.send(`def${get('/', 'Connection: close\r\n')}`);
      const answer = await connection.closed();
      expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    });

    test('keep the connections to the instance alive', async () => {
      const ports = new Set<number | undefined>();
      handler = (req, res) => {
        ports.add(req.socket.remotePort);
        res.end('x');
      };
      for (let index = 0; index < 5; index += 1) await ask(gateway.publicPort);
      expect(ports.size).toBe(1);
    });
  });
}
