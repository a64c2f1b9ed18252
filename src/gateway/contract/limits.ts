import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { until } from '../../testing/conditions.ts';
import { ask, exchangeBytes, rawConnection } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import type { GatewayKind, GatewayUnderTest } from './gateway-under-test.ts';

export function describeLimits(kind: GatewayKind): void {
  let gateway: GatewayUnderTest;
  let port = 0;

  beforeAll(async () => {
    gateway = await kind.create({
      requestHeadMs: 200,
      bodyIdleMs: 150,
      responseHeadMs: 200,
      streamIdleMs: 200,
      upgradeIdleMs: 200,
      clientKeepAliveMs: 200,
    });
    const upstream = await gateway.serve((req, res) => {
      if (req.url === '/stuck') return;
      if (req.url === '/stalls') {
        res.write('begin');
        return;
      }
      req.pipe(res);
    });
    const sockets = new WebSocketServer({ noServer: true });
    upstream.server.on('upgrade', (req, socket, head) => sockets.handleUpgrade(req, socket, head, (ws) => ws.send('hi')));
    port = upstream.port;
    await gateway.route({ backends: [backend('r1', 1, { a: port })] });
  });
  afterEach(() => until('nothing in flight', async () => (await gateway.report()).inFlight === 0));
  afterAll(() => gateway.close());

  test('a header that does not end in time is answered with 408', async () => {
    expect(await exchangeBytes(gateway.publicPort, 'GET / HTTP/1.1\r\nHost: app')).toMatch(
      kind.can.explainsBrokenRequests ? /^HTTP\/1\.1 408 [^]*gateway_request_timeout/ : /^HTTP\/1\.1 408 /,
    );
  });

  test.runIf(kind.can.limitsIdleBodies)('a body that stops coming is answered with 408, and the instance is rid of it', async () => {
    const connection = await rawConnection(gateway.publicPort);
    connection.send('POST /stuck HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nabc');
    expect(await connection.receives(/^HTTP\/1\.1 408 [^]*\}\}/)).toContain('gateway_request_timeout');
    await until('nothing in flight', async () => (await gateway.inFlight('a')) === 0);
    connection.socket.destroy();
  });

  test('an instance that does not answer is 504', async () => {
    const answer = await ask(gateway.publicPort, { path: '/stuck' });
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { code: 'gateway_upstream_timeout', request_id: answer.headers['x-request-id'] },
    });
  });

  test('an answer that stalls is cut, not completed', async () => {
    await expect(ask(gateway.publicPort, { path: '/stalls' })).rejects.toThrow(/aborted|ECONNRESET/);
  });

  test('a connection idle between requests is closed', async () => {
    const connection = await rawConnection(gateway.publicPort);
    connection.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    expect(await connection.closed()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('a silent WebSocket is closed', async () => {
    const connection = await rawConnection(gateway.publicPort);
    connection.send(
      'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    expect(await connection.closed()).toMatch(/^HTTP\/1\.1 101 [^]*hi$/);
  });

  // A stopped process accepts nothing; once its backlog is full, Linux lets further connections hang.
  test.skipIf(process.platform !== 'linux')(
    'an instance that accepts no connection in time costs nothing while another does, else it is 504',
    async () => {
      const listener =
        "const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))";
      const child = spawn(process.execPath, ['-e', listener], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const full = Number(line.toString());
      child.kill('SIGSTOP');
      const fillers = Array.from({ length: 4 }, () => connect({ port: full, host: '127.0.0.1' }).on('error', () => {}));
      await until('the backlog to be full', () => fillers.filter((socket) => socket.connecting).length < fillers.length);

      const patient = await kind.create({ connectMs: 100 });
      await patient.route({ backends: [backend('r1', 1, { a: full })] });
      const answer = await ask(patient.publicPort);
      await patient.route({ backends: [backend('r1', 1, { a: full, b: port })] });
      expect((await ask(patient.publicPort)).status).toBe(200);
      await patient.close();
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      expect(answer.status).toBe(kind.can.tellsConnectTimeout ? 504 : 502);
      const code = kind.can.tellsConnectTimeout ? 'gateway_connect_timeout' : 'gateway_upstream_unreachable';
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code } });
    },
  );
}
