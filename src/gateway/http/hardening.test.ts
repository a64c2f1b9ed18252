import { createServer, type Server as RawServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { ask, exchangeBytes, portOf, rawConnection } from '../testing/raw-client.ts';
import { backend, createRig, type Rig } from '../testing/rig.ts';

let rig: Rig;
const rawServers: RawServer[] = [];
afterEach(async () => {
  await rig.close();
  for (const server of rawServers.splice(0)) server.close();
});

const get = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';

/** An instance that sends these pieces, one per turn of the event loop, whatever it is asked. */
function rawInstance(pieces: readonly string[], end = false): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      const send = (index: number): void => {
        const piece = pieces[index];
        if (piece === undefined) {
          if (end) socket.end();
          return;
        }
        socket.write(Buffer.from(piece, 'latin1'), () => setImmediate(send, index + 1));
      };
      send(0);
    });
  });
  rawServers.push(server);
  return portOf(server);
}

test('clients that send their header a byte at a time are refused in time, and cost others nothing', async () => {
  rig = await createRig({ requestHeadMs: 300 });
  const upstream = await rig.serve((_req, res) => res.end('ok'));
  await rig.route({ backends: [backend('r1', 1, { a: upstream.port })] });
  const slow = await Promise.all(Array.from({ length: 50 }, () => rawConnection(rig.publicPort)));
  const dripping = setInterval(() => {
    for (const connection of slow) connection.send('X');
  }, 20);
  for (const connection of slow) connection.send('GET / HTTP/1.1\r\nHost: app.test\r\nX-A: ');
  expect((await ask(rig.publicPort)).status).toBe(200);
  const answers = await Promise.all(slow.map((connection) => connection.closed()));
  clearInterval(dripping);
  expect(answers.every((answer) => answer.startsWith('HTTP/1.1 408 '))).toBe(true);
});

test('when there is no room, idle connections are closed first, and new ones are refused at once', async () => {
  rig = await createRig({ clientConnections: 3 });
  const upstream = await rig.serve((req, res) => {
    if (req.url !== '/held') res.end('ok');
  });
  await rig.route({ backends: [backend('r1', 1, { a: upstream.port })] });
  const idle = await rawConnection(rig.publicPort);
  idle.send(get);
  await idle.receives('ok');
  const busy = await Promise.all([1, 2].map(() => rawConnection(rig.publicPort)));
  for (const connection of busy) connection.send(get.replace('/ ', '/held '));
  await until('both to be at the instance', () => rig.inFlight('a') === 2);
  const third = await rawConnection(rig.publicPort);
  third.send(get.replace('/ ', '/held '));
  await idle.closed();
  await until('the third to be at the instance', () => rig.inFlight('a') === 3);
  expect(await exchangeBytes(rig.publicPort, get)).toMatch(/^HTTP\/1\.1 503 [^]*gateway_overloaded/);
  for (const connection of [...busy, third]) connection.socket.destroy();
});

test('an instance that trickles its answer byte by byte is understood', async () => {
  rig = await createRig();
  const answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n';
  await rig.route({ backends: [backend('r1', 1, { a: await rawInstance(answer.split('')) })] });
  expect(await ask(rig.publicPort)).toMatchObject({ status: 200, body: 'abcde', trailers: { 'x-sum': '1' } });
});

test.each([
  ['a header without end', ['HTTP/1.1 200 OK\r\n', ...Array.from({ length: 40 }, () => `X-A: ${'a'.repeat(1_000)}\r\n`)]],
  [
    'interim answers and then nonsense',
    ['HTTP/1.1 102 Processing\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', 'nonsense\r\n\r\n'],
  ],
  ['bare line feeds', ['HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n']],
])('an instance that sends %s is 502', async (_name, pieces) => {
  rig = await createRig();
  await rig.route({ backends: [backend('r1', 1, { a: await rawInstance(pieces) })] });
  const answer = await ask(rig.publicPort);
  expect(answer.status).toBe(502);
  expect(answer.body).toContain('gateway_upstream_invalid');
});

test('chunks that go wrong within an answer cut it', async () => {
  rig = await createRig();
  const pieces = ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'zz\r\n'];
  await rig.route({ backends: [backend('r1', 1, { a: await rawInstance(pieces) })] });
  await expect(ask(rig.publicPort)).rejects.toThrow(/aborted|ECONNRESET|hang up/);
});

test('an HTTP/1.0 client sees an answer of unknown length cut as a reset, and may keep its connection when the length is known', async () => {
  rig = await createRig();
  const port = await rawInstance(['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'zz\r\n']);
  await rig.route({ backends: [backend('r1', 1, { a: port })] });
  const cut = await rawConnection(rig.publicPort);
  let failure = '';
  cut.socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = error.code ?? '';
  });
  cut.send('GET / HTTP/1.0\r\nHost: app.test\r\n\r\n');
  await until('the reset', () => failure === 'ECONNRESET');
  const upstream = await rig.serve((_req, res) => {
    res.setHeader('content-length', 2);
    res.end('ok');
  });
  await rig.route({ backends: [backend('r1', 1, { b: upstream.port })] });
  const kept = await rawConnection(rig.publicPort);
  const old = 'GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n';
  kept.send(old);
  expect((await kept.receives('ok')).toLowerCase()).toContain('connection: keep-alive');
  kept.send(old);
  await kept.receives(/ok[^]*ok$/);
  kept.socket.destroy();
});

test('a body that is not wanted is dropped up to a bound, and the answer is seen', async () => {
  rig = await createRig();
  await rig.route({ backends: [backend('r1', 1, {})] });
  const connection = await rawConnection(rig.publicPort);
  connection.send(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000\r\n\r\n`);
  await connection.receives('gateway_no_instance');
  const piece = Buffer.alloc(64 * 1024);
  const flood = setInterval(() => connection.send(piece), 1);
  await until('the connection to be closed', () => connection.socket.destroyed || connection.socket.closed);
  clearInterval(flood);
  expect(connection.socket.bytesWritten).toBeLessThan(20_000_000);
});
