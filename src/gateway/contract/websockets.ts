import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { until } from '../../testing/conditions.ts';
import { rawConnection } from '../testing/raw-client.ts';
import { backend, token } from '../testing/rig.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';

export function describeWebSockets(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  let port = 0;
  const sockets = new WebSocketServer({ noServer: true });
  let lastHeaders: NodeJS.Dict<string | string[]> = {};
  const clients: WebSocket[] = [];

  beforeAll(async () => {
    gateway = await kind.create({ upgradeIdleMs: 60_000 });
    const instance = await gateway.serve((_req, res) => res.writeHead(426).end('use a WebSocket'));
    instance.server.on('upgrade', (req, socket, head) => {
      lastHeaders = req.headers;
      socket.on('error', () => {});
      if (req.url === '/plain') {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
        return;
      }
      sockets.handleUpgrade(req, socket, head, (ws) => {
        ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
        if (req.url === '/greet') ws.send('hello');
      });
    });
    port = instance.port;
    await gateway.route(
      { backends: [backend('r1', 1, { a: port })] },
      { name: 'caller', expose: [], calls: ['app'] },
      { name: 'stranger', expose: [], calls: [] },
    );
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.terminate();
  });
  afterAll(async () => {
    await gateway.close();
    sockets.close();
  });

  function open(gatewayPort: number, path: string, headers: Record<string, string> = {}): WebSocket {
    const client = new WebSocket(`ws://127.0.0.1:${gatewayPort}${path}`, { headers: { host: 'app.test', ...headers } });
    client.on('error', () => {});
    clients.push(client);
    return client;
  }

  function messageOf(client: WebSocket): Promise<string> {
    return new Promise((resolve, reject) => {
      client.once('message', (data: Buffer) => resolve(data.toString()));
      client.once('close', () => reject(new Error('closed')));
    });
  }

  function statusOf(client: WebSocket): Promise<number> {
    return new Promise((resolve) => {
      client.once('unexpected-response', (_req, res) => resolve(res.statusCode ?? 0));
      client.once('open', () => resolve(101));
    });
  }

  test('carries messages both ways and counts the socket until it closes', async () => {
    const client = open(gateway.publicPort, '/greet');
    expect(await messageOf(client)).toBe('hello');
    const echoed = messageOf(client);
    client.send('x'.repeat(200_000));
    expect(await echoed).toHaveLength(200_000);
    expect(await gateway.inFlight('a')).toBe(1);
    client.close();
    await until('nothing in flight', async () => (await gateway.inFlight('a')) === 0);
  });

  test('tells the instance who asked', async () => {
    await messageOf(open(gateway.publicPort, '/greet', { 'x-forwarded-for': '6.6.6.6', 'x-sluice-caller': 'admin' }));
    expect(lastHeaders).toMatchObject({ 'x-forwarded-for': '127.0.0.1', host: 'app.test', connection: 'Upgrade', upgrade: 'websocket' });
    expect(lastHeaders['x-sluice-caller']).toBeUndefined();
  });

  test('passes on an answer that refuses the switch', async () => {
    expect(await statusOf(open(gateway.publicPort, '/plain'))).toBe(403);
    await until('nothing in flight', async () => (await gateway.inFlight('a')) === 0);
  });

  test.each([
    ['without a token', {}, '/app/greet', 401],
    ['with an unknown token', { 'x-sluice-token': 'guess' }, '/app/greet', 401],
    ['from a service that does not declare the call', { 'x-sluice-token': token('stranger') }, '/app/greet', 403],
    ['from a service that declares it', { 'x-sluice-token': token('caller') }, '/app/greet', 101],
  ])('on the internal listener %s', async (_name, headers, path, status) => {
    expect(await statusOf(open(gateway.internalPort, path, headers))).toBe(status);
  });

  test('a socket stays open while its instance drains, and new ones go elsewhere or are refused', async () => {
    const client = open(gateway.publicPort, '/greet');
    await messageOf(client);
    await gateway.route({ backends: [backend('r1', 1, { a: { port, draining: true } })] }, { name: 'caller', expose: [], calls: ['app'] });
    const echoed = messageOf(client);
    client.send('still here');
    expect(await echoed).toBe('still here');
    expect(await statusOf(open(gateway.publicPort, '/greet'))).toBe(503);
    await gateway.route({ backends: [] });
    expect((await gateway.report()).instances).toMatchObject([
      { key: expect.stringContaining('test/app/a') as string, state: 'removed', inFlight: 1 },
    ]);
    client.close();
    await until('the instance to be forgotten', async () => (await gateway.report()).instances.length === 0);
    await gateway.route({ backends: [backend('r1', 1, { a: port })] }, { name: 'caller', expose: [], calls: ['app'] });
  });

  test('the end of either side ends the other', async () => {
    const client = open(gateway.publicPort, '/greet');
    await messageOf(client);
    for (const served of sockets.clients) served.terminate();
    await until('nothing in flight', async () => (await gateway.inFlight('a')) === 0);
    await until('the client to notice', () => client.readyState === WebSocket.CLOSED);
    expect((await gateway.report()).inFlight).toBe(0);
  });

  test('an upgrade to anything that hides requests is never offered to the instance', async () => {
    const connection = await rawConnection(gateway.publicPort);
    connection.send('GET /greet HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n');
    expect(await connection.closed()).toMatch(/^HTTP\/1\.1 426 /);
  });
}
