import { type AddressInfo, createServer as createRawServer, type Server as RawServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../effects/ports.ts';
import { until } from '../../testing/conditions.ts';
import { ask, rawConnection } from '../testing/raw-client.ts';
import { backend, createRig, type Rig } from '../testing/rig.ts';

let rig: Rig;
let rawServers: RawServer[] = [];
beforeEach(async () => {
  rig = await createRig({ upstreamKeepAliveMs: 60_000 });
});
afterEach(async () => {
  await rig.close();
  for (const server of rawServers) server.close();
  rawServers = [];
});

/** An instance that is in full control of its bytes. `onRequest` gets the how-manieth request of that connection it is. */
async function rawInstance(onRequest: (socket: Socket, count: number) => void): Promise<number> {
  const server = createRawServer((socket) => {
    let count = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      count += 1;
      onRequest(socket, count);
    });
  });
  rawServers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

const ok = (socket: Socket): boolean => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

describe('an instance that cannot be reached', () => {
  test.each(['GET', 'POST'])('costs a %s nothing while another can', async (method) => {
    const closed = await freePort('127.0.0.1');
    const upstream = await rig.serve((req, res) => req.pipe(res));
    await rig.route({ backends: [backend('r1', 1, { dead: closed, live: upstream.port })] });
    for (let index = 0; index < 10; index += 1) {
      const answer = await ask(rig.publicPort, { method }, method === 'POST' ? 'body' : undefined);
      expect(answer).toMatchObject({ status: 200, body: method === 'POST' ? 'body' : '' });
    }
    expect(rig.gateway.report().instances.find((instance) => instance.id === 'dead')).toMatchObject({ healthy: false, inFlight: 0 });
  });

  test('is 502 when there is no other, and is still tried when all are unhealthy', async () => {
    const port = await freePort('127.0.0.1');
    await rig.route({ backends: [backend('r1', 1, { a: port })] });
    const refused = await ask(rig.publicPort);
    expect(refused.status).toBe(502);
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'gateway_upstream_unreachable' } });
    const revived = await rig.serve((_req, res) => res.end('back'));
    await rig.route({ backends: [backend('r1', 1, { a: port, b: revived.port })] });
    expect((await ask(rig.publicPort)).body).toBe('back');
  });

  test('is tried no more often than the limit says', async () => {
    const instances: Record<string, number> = {};
    for (let index = 0; index < 8; index += 1) instances[`i${index}`] = await freePort('127.0.0.1');
    await rig.route({ backends: [backend('r1', 1, instances)] });
    expect((await ask(rig.publicPort)).status).toBe(502);
    expect(rig.gateway.report().instances.filter((instance) => !instance.healthy)).toHaveLength(3);
  });
});

describe('a kept connection that was closed meanwhile', () => {
  test('costs a GET nothing', async () => {
    const port = await rawInstance((socket, count) => (count === 1 ? ok(socket) : socket.destroy()));
    await rig.route({ backends: [backend('r1', 1, { a: port })] });
    for (let index = 0; index < 6; index += 1) expect((await ask(rig.publicPort)).status).toBe(200);
  });

  test('fails a POST without a body, which may have been carried out', async () => {
    const port = await rawInstance((socket, count) => (count === 1 ? ok(socket) : socket.destroy()));
    await rig.route({ backends: [backend('r1', 1, { a: port })] });
    expect((await ask(rig.publicPort)).status).toBe(200);
    const failed = await ask(rig.publicPort, { method: 'POST' });
    expect(failed.status).toBe(502);
    expect(JSON.parse(failed.body)).toMatchObject({ error: { code: 'gateway_upstream_failed' } });
  });

  test('costs a POST nothing while none of its body was sent', async () => {
    let isCut = false;
    const port = await rawInstance((socket, count) => {
      if (count === 1) ok(socket);
      else isCut = socket.destroy().destroyed;
    });
    await rig.route({ backends: [backend('r1', 1, { a: port })] });
    expect((await ask(rig.publicPort)).status).toBe(200);
    const connection = await rawConnection(rig.publicPort);
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
  ])('%s: 502', async (_name, bytes) => {
    const port = await rawInstance((socket) => socket.end(bytes));
    await rig.route({ backends: [backend('r1', 1, { a: port })] });
    expect((await ask(rig.publicPort)).status).toBe(502);
    await until('nothing in flight', () => rig.inFlight('a') === 0);
  });

  test('what an instance sends after its answer is never taken for the next one', async () => {
    const port = await rawInstance((socket, count) => {
      if (count === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
      else ok(socket);
    });
    await rig.route({ backends: [backend('r1', 1, { a: port })] });
    for (let index = 0; index < 4; index += 1) expect((await ask(rig.publicPort)).body).toBe('ok');
  });

  test('a connection closed before any answer: 502 and one attempt', async () => {
    let attempts = 0;
    const port = await rawInstance((socket) => {
      attempts += 1;
      socket.destroy();
    });
    await rig.route({ backends: [backend('r1', 1, { a: port, b: port })] });
    expect((await ask(rig.publicPort)).status).toBe(502);
    expect(attempts).toBe(1);
  });
});
