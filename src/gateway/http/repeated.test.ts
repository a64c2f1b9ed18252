import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { type BareEngine, backendOf, createBareEngine, instanceAt } from '../testing/bare-engine.ts';
import { portOf, rawConnection } from '../testing/raw-client.ts';

// What is remembered of the last request and the last answer of a connection must never show.

let bare: BareEngine | undefined;
let server: Server | undefined;
afterEach(() => {
  bare?.close();
  server?.close();
});

/** An instance that answers every request as `answerTo` has it; the headers it got. */
async function instance(answerTo: (head: string) => string): Promise<readonly string[]> {
  const heads: string[] = [];
  server = createServer((socket) => {
    let received = '';
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received += data.toString('latin1');
      for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
        const head = received.slice(0, end + 4);
        received = received.slice(end + 4);
        // The end of a chunked body.
        if (head.startsWith('0\r\n')) continue;
        heads.push(head);
        socket.write(answerTo(head), 'latin1');
      }
    });
  });
  bare = await createBareEngine([backendOf('r1', 1, [instanceAt('a', await portOf(server))])]);
  return heads;
}

const withoutIds = (head: string): string =>
  head.replace(/x-request-id: [0-9a-f]{32}\r\ntraceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n/, '');
const idOf = (head: string): string => /x-request-id: ([0-9a-f]{32})/.exec(head)?.[1] ?? '';
const paths = (client: number): string[] => Array.from({ length: 30 }, (_, index) => `/${client}/${index}`);
const ours = (host: string): string =>
  `x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: ${host}\r\nforwarded: for=127.0.0.1;host="${host}";proto=http\r\n`;
const expected = (line: string, more: string): string =>
  `${line} HTTP/1.1\r\nHost: app.test\r\nAccept: x/y\r\nCookie: a=1\r\n${ours('app.test')}${more}\r\n`;
const chunked = (line: string): string =>
  `${line} HTTP/1.1\r\nHost: app.test:80\r\nAccept: x/y\r\nCookie: a=2\r\n${ours('app.test:80')}transfer-encoding: chunked\r\n\r\n`;
const fixed = 'HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 05:00:00 GMT\r\nContent-Length: 2\r\nX-Sluice-Attributes: a=b\r\n\r\n';

test('requests that repeat their fields are passed on like the first, each with its own line, method and ids', async () => {
  const heads = await instance((head) => (head.startsWith('HEAD') ? fixed : `${fixed}ok`));
  const client = await rawConnection(bare?.port as number);
  const same = 'Host: app.test\r\nAccept: x/y\r\nCookie: a=1\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\n';
  const other = 'Host: app.test:80\r\nAccept: x/y\r\nCookie: a=2\r\nTransfer-Encoding: chunked\r\n\r\n';
  const sent = [
    ['GET /1', same],
    ['GET /2', same],
    ['GET /3', same],
    ['POST /4', same],
    ['HEAD /5', same],
    ['POST /6', other],
    ['POST /7', other],
    ['GET /8', same],
  ] as const;
  for (const [index, [line, fields]] of sent.entries()) {
    client.send(`${line} HTTP/1.1\r\n${fields}${fields === other ? '0\r\n\r\n' : ''}`);
    await until('its answer', () => client.received().split('HTTP/1.1 200 OK').length === index + 2);
  }
  expect(heads.map(withoutIds)).toEqual([
    expected('GET /1', ''),
    expected('GET /2', ''),
    expected('GET /3', ''),
    expected('POST /4', 'content-length: 0\r\n'),
    expected('HEAD /5', ''),
    chunked('POST /6'),
    chunked('POST /7'),
    expected('GET /8', ''),
  ]);
  const ids = heads.map(idOf);
  expect(new Set(ids).size).toBe(sent.length);
  const answers = client.received().split(/(?=HTTP\/1\.1)/);
  expect(answers).toEqual(
    ids.map((id, index) => {
      const body = sent[index]?.[0].startsWith('HEAD') === true ? '' : 'ok';
      return `${fixed.slice(0, -2)}x-request-id: ${id}\r\n\r\n${body}`;
    }),
  );
});

test('an answer is read anew when a byte of its header differs, and when the request is another', async () => {
  let count = 0;
  await instance((head) => {
    count += 1;
    if (head.startsWith('HEAD')) return fixed;
    return count % 3 === 0 ? 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc' : `${fixed}ok`;
  });
  const client = await rawConnection(bare?.port as number);
  for (const [index, method] of ['GET', 'HEAD', 'GET', 'GET', 'GET', 'GET', 'HEAD', 'GET'].entries()) {
    client.send(`${method} / HTTP/1.1\r\nHost: app.test\r\n\r\n`);
    await until('its answer', () => client.received().split('HTTP/1.1 200 OK').length === index + 2);
  }
  const bodies = client
    .received()
    .split(/(?=HTTP\/1\.1)/)
    .map((answer) => answer.split('\r\n\r\n')[1]);
  expect(bodies).toEqual(['ok', '', 'abc', 'ok', 'ok', 'abc', '', 'ok']);
});

test('pipelined requests on one connection and requests on many are each answered once, although they are written in a row', async () => {
  await instance((head) => {
    const path = head.split(' ')[1] as string;
    return `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`;
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => rawConnection(bare?.port as number)));
  for (const [at, client] of clients.entries()) {
    client.send(
      paths(at)
        .map((path) => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`)
        .join(''),
    );
  }
  for (const [at, client] of clients.entries()) {
    await client.receives(`/${at}/29`);
    const bodies = client
      .received()
      .split(/(?=HTTP\/1\.1)/)
      .map((answer) => answer.split('\r\n\r\n')[1]);
    expect(bodies).toEqual(paths(at));
    client.socket.destroy();
  }
  await until('the end of all', () => bare?.engine.running.size === 0);
});
