import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { describeWith } from '../../testing/requires.ts';
import { createHttp2Rig, type Http2Rig } from './testing/http2-rig.ts';

const run = promisify(execFile);
let rig: Http2Rig;
beforeAll(async () => {
  rig = await createHttp2Rig();
});
afterAll(() => rig.close());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: Number(headers[':status']), headers, body: Buffer.concat(chunks), trailers };
}

function ask(fields: OutgoingHttpHeaders = {}, body?: string, servername?: string): Promise<Answer> {
  const session = rig.connect(servername);
  const stream = session.request({ ':authority': 'app.test', ':path': '/', ...fields }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream).finally(() => session.close());
}

describeWith('curl', 'a client of libcurl', () => {
  test('curl gets an answer over HTTP/2, and over HTTP/1.1 when it asks for that', async () => {
    rig.serve((downstream) => {
      downstream.answer(200, 'OK', ['Content-Type', 'text/plain', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2'], 5);
      downstream.write(Buffer.from('hello'));
      downstream.end([]);
      return {};
    });
    const curl = async (...options: string[]): Promise<string> => {
      const target = ['--resolve', `app.test:${rig.port}:127.0.0.1`, `https://app.test:${rig.port}/`];
      const output = ['-s', '-S', '-w', ' %{http_code} %{http_version}', '--cacert', rig.authority.caFile];
      return (await run('curl', [...output, ...options, ...target])).stdout;
    };
    expect(await curl('--http2')).toBe('hello 200 2');
    expect(await curl('--http1.1')).toBe('one 200 1.1');
  });
});

test('the head of a request reads the same as one of HTTP/1.1', async () => {
  rig.serve((downstream) => {
    const text = JSON.stringify(downstream.head);
    downstream.answer(200, '', [], Buffer.byteLength(text));
    downstream.write(Buffer.from(text));
    downstream.end([]);
    return {};
  });
  const answer = await ask({ ':path': '/a?b=c', cookie: ['x=1', 'y=2'], accept: '*/*' });
  expect(JSON.parse(answer.body.toString())).toEqual({
    method: 'GET',
    authority: 'app.test',
    host: 'app.test',
    target: '/a?b=c',
    headers: ['accept', '*/*', 'cookie', 'x=1; y=2', 'host', 'app.test'],
    protocol: 'HTTP/2.0',
    body: 'none',
    contentLength: 0,
    expectsContinue: false,
    clientAddress: '127.0.0.1',
    isEncrypted: true,
  });
});

test('a large body streams both ways with back-pressure, and trailers follow it', async () => {
  let refusedWrites = 0;
  rig.serve((downstream) => {
    downstream.answer(200, '', [], -1);
    return {
      body: (chunk) => {
        if (downstream.write(chunk)) return;
        refusedWrites += 1;
        downstream.pause();
      },
      drained: () => downstream.resume(),
      bodyEnd: (trailers) => downstream.end(['x-read', String(downstream.bytesRead()), ...trailers]),
    };
  });
  const session = rig.connect();
  const stream = session.request({ ':authority': 'app.test', ':method': 'POST' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'abc' }));
  const content = Buffer.alloc(4 * 1024 * 1024, 'content ');
  stream.end(content);
  const answer = await answerOf(stream);
  session.close();
  expect(createHash('sha256').update(answer.body).digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
  expect(answer.trailers).toMatchObject({ 'x-read': String(content.length), 'x-sum': 'abc' });
  expect(refusedWrites).toBeGreaterThan(0);
});

test('a client that does not read holds up the writer until it reads', async () => {
  let isFull = false;
  let hasDrained = false;
  rig.serve((downstream) => {
    downstream.answer(200, '', [], -1);
    const fill = (): void => {
      for (let count = 0; count < 64; count += 1) {
        isFull = !downstream.write(Buffer.alloc(16 * 1024)) || isFull;
      }
    };
    fill();
    return {
      drained: () => {
        hasDrained = true;
        downstream.end([]);
      },
    };
  });
  const session = rig.connect();
  const stream = session.request({ ':authority': 'app.test' });
  await once(stream, 'response');
  await until('a full stream', () => isFull);
  expect(hasDrained).toBe(false);
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) length += chunk.length;
  expect({ length, hasDrained }).toEqual({ length: 64 * 16 * 1024, hasDrained: true });
  session.close();
});

test('100 Continue and 103 come before the answer', async () => {
  rig.serve((downstream) => {
    expect(downstream.head.expectsContinue).toBe(true);
    downstream.hint(['link', '</a.css>; rel=preload']);
    downstream.continue();
    return {
      bodyEnd: () => {
        downstream.answer(200, '', [], 0);
        downstream.end([]);
      },
    };
  });
  const session = rig.connect();
  const stream = session.request({ ':authority': 'app.test', ':method': 'POST', expect: '100-continue' });
  const interim: number[] = [];
  stream.on('headers', (fields: IncomingHttpHeaders) => {
    interim.push(Number(fields[':status']));
  });
  stream.on('continue', () => {
    stream.end('body');
  });
  expect((await answerOf(stream)).status).toBe(200);
  expect(interim).toContain(103);
  expect(interim).toContain(100);
  session.close();
});

test('a body shorter than announced has no end either', async () => {
  const heard: string[] = [];
  rig.serve(() => ({
    body: () => heard.push('body'),
    bodyEnd: () => heard.push('end'),
    gone: (finished) => heard.push(`gone ${finished}`),
  }));
  const session = rig.connect();
  const stream = session.request({ ':authority': 'app.test', ':method': 'POST', 'content-length': '10' });
  stream.on('error', () => {});
  stream.end('part');
  await until('the end', () => heard.some((each) => each.startsWith('gone')));
  expect(heard).not.toContain('end');
  expect(heard.at(-1)).toBe('gone false');
  session.close();
});

test('an answer that breaks off is an error for the client, and one that is whole is told to the exchange', async () => {
  const heard: string[] = [];
  rig.serve((downstream) => {
    downstream.answer(200, '', [], -1);
    downstream.write(Buffer.from('part'));
    if (downstream.head.target === '/cut') setImmediate(() => downstream.abort());
    else downstream.end([]);
    return { gone: (finished) => heard.push(`${downstream.head.target} ${finished}`) };
  });
  await expect(ask({ ':path': '/cut' })).rejects.toThrow('INTERNAL_ERROR');
  expect((await ask({ ':path': '/whole' })).body.toString()).toBe('part');
  await until('both ends', () => heard.length === 2);
  expect(heard).toEqual(['/cut false', '/whole true']);
});

test('an answer of a known length is told to be whole as well, and one whose client leaves with the connection is not', async () => {
  const heard: string[] = [];
  const large = Buffer.alloc(32 * 1024 * 1024);
  rig.serve((downstream) => {
    const body = downstream.head.target === '/large' ? large : Buffer.from('small');
    downstream.answer(200, '', [], body.length);
    downstream.write(body);
    downstream.end([]);
    return { gone: (finished) => heard.push(`${downstream.head.target} ${finished}`) };
  });
  const session = rig.connect();
  for (const path of ['/one', '/two']) await answerOf(session.request({ ':authority': 'app.test', ':path': path }));
  await until('two whole answers', () => heard.length === 2);
  const stream = session.request({ ':authority': 'app.test', ':path': '/large' });
  stream.on('error', () => {});
  await once(stream, 'response');
  session.destroy();
  await until('the end of the third', () => heard.length === 3);
  expect(heard).toEqual(['/one true', '/two true', '/large false']);
});

test('an early answer to an upload is whole, and the rest of the upload is called off', async () => {
  rig.serve((downstream) => {
    downstream.refuse({ status: 413, body: '{"error":{}}', requestId: undefined, retryAfter: undefined }, true);
    return {};
  });
  const session = rig.connect();
  const stream = session.request({ ':authority': 'app.test', ':method': 'POST' });
  stream.write('x');
  const answer = await answerOf(stream);
  expect([answer.status, answer.body.toString(), stream.rstCode]).toEqual([413, '{"error":{}}', 0]);
  session.close();
});

test('an answer with fields HTTP/2 does not have, and repeated ones, still arrives', async () => {
  rig.serve((downstream) => {
    downstream.answer(200, 'Fine', ['Connection', 'close', 'Content-Type', 'a/b', 'content-type', 'c/d', 'Vary', 'a', 'vary', 'b'], 'none');
    return {};
  });
  const { status, headers } = await ask({ ':method': 'HEAD' });
  expect([status, headers['content-type'], headers.vary, headers.connection]).toEqual([200, 'a/b', 'a, b', undefined]);
});

test('a request for a host with another certificate is sent to a connection of its own', async () => {
  rig.serve((downstream) => {
    downstream.answer(204, '', [], 'none');
    return {};
  });
  expect((await ask({ ':authority': 'www.app.test' })).status).toBe(204);
  const misdirected = await ask({ ':authority': 'other.test' });
  expect([misdirected.status, misdirected.body.toString()]).toEqual([421, expect.stringContaining('gateway_misdirected')]);
  expect((await ask({ ':authority': 'other.test' }, undefined, 'other.test')).status).toBe(204);
});

test('a drain lets running streams end and refuses no request that is on its way', async () => {
  const drained = await createHttp2Rig();
  drained.serve((downstream) => {
    downstream.answer(200, '', [], -1);
    return { bodyEnd: () => downstream.end([]) };
  });
  const session = drained.connect();
  const running = session.request({ ':authority': 'app.test', ':method': 'POST' });
  await once(running, 'response');
  let goaways = 0;
  session.on('goaway', () => {
    goaways += 1;
  });
  drained.front.retire();
  running.end('rest');
  running.resume();
  await once(running, 'close');
  expect(running.rstCode).toBe(0);
  await until('the end of the connection', () => session.destroyed && drained.front.connections === 0);
  expect(goaways).toBeGreaterThan(0);
  await drained.close();
});

test('a connection that is idle for too long is closed, one with a stream is not', async () => {
  const idle = await createHttp2Rig();
  idle.serve((downstream) => {
    downstream.answer(200, '', [], -1);
    return {};
  });
  const [busy, lazy] = [idle.connect(), idle.connect()];
  await Promise.all([once(busy, 'remoteSettings'), once(lazy, 'remoteSettings')]);
  await once(busy.request({ ':authority': 'app.test' }), 'response');
  idle.front.expire(performance.now() + 66_000);
  await until('the end of the idle connection, on both sides', () => lazy.destroyed && idle.front.connections < 2);
  expect([busy.destroyed, idle.front.connections]).toEqual([false, 1]);
  await idle.close();
});
