import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { Agent } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { until } from '../../testing/conditions.ts';
import { describeWith } from '../../testing/requires.ts';
import { ask, rawConnection } from '../testing/raw-client.ts';
import { rotateTicketKeys } from './ticket-keys.ts';
import { createTlsRig, type TlsRig } from './testing/tls-rig.ts';

const run = promisify(execFile);
let rig: TlsRig;

beforeAll(async () => {
  const sockets = new WebSocketServer({ noServer: true });
  rig = await createTlsRig(
    (req, res) => {
      res.setHeader('x-seen', [req.headers['x-forwarded-proto'], req.headers.host, req.url].join(' '));
      req.pipe(res);
    },
    (server) =>
      server.on('upgrade', (req, socket, head) =>
        sockets.handleUpgrade(req, socket, head, (opened) =>
          opened.on('message', (data: Buffer) => opened.send(`echo ${data.toString()}`)),
        ),
      ),
  );
  const app = await rig.authority.issue('app', ['app.test', '*.apps.test']);
  const a = await rig.authority.issue('a', ['a.test']);
  await rotateTicketKeys(rig.folder, Date.now(), { next: () => 0, bytes: (count) => new Uint8Array(count).fill(7) });
  await rig.route({
    certificates: [
      { ...app, hosts: [] },
      { ...a, hosts: [] },
    ],
  });
});
afterAll(() => rig.close());

const options = (more: ConnectionOptions = {}): ConnectionOptions => ({
  port: rig.port,
  host: '127.0.0.1',
  ca: rig.authority.ca,
  servername: 'app.test',
  ...more,
});

async function shake(more: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect(options(more));
  await Promise.race([once(socket, 'secureConnect'), once(socket, 'error').then(([error]) => Promise.reject(error as Error))]);
  return socket;
}

async function shownByOpenssl(...parameters: string[]): Promise<string> {
  const shaking = run('openssl', ['s_client', '-connect', `127.0.0.1:${rig.port}`, ...parameters]);
  shaking.child.stdin?.end();
  const { stdout } = await shaking.catch((error: { stdout: string; stderr: string }) => ({ stdout: error.stdout + error.stderr }));
  return stdout;
}

describeWith('openssl', 'a client of openssl', () => {
  test('openssl sees the certificate of the name it asks for, and the first one when it asks for none', async () => {
    expect(await shownByOpenssl('-servername', 'a.test')).toContain('subject=CN = a.test');
    expect(await shownByOpenssl('-servername', 'x.apps.test')).toContain('subject=CN = app.test');
    expect(await shownByOpenssl('-noservername')).toContain('subject=CN = app.test');
  });
});

test('TLS 1.2 and 1.3 are spoken, older versions and unknown protocols are not', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await shake({ minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    socket.destroy();
  }
  await expect(shake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow(/alert|protocol/i);
  await expect(shake({ ALPNProtocols: ['spdy/3'] })).rejects.toThrow(/no application protocol/i);
  const plain = await shake();
  expect(plain.alpnProtocol).toBe(false);
  plain.destroy();
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a %s session is resumed', async (version) => {
  const sessionOf = async (): Promise<Buffer> => {
    const socket = connect(options({ minVersion: version, maxVersion: version }));
    const [session] = (await once(socket, 'session')) as [Buffer];
    socket.destroy();
    return session;
  };
  const session = await sessionOf();
  const resumed = await shake({ session, minVersion: version, maxVersion: version });
  expect(resumed.isSessionReused()).toBe(true);
  resumed.destroy();
});

test('a request and its body pass to the instance and back over HTTP/2, and the instance is told of the encryption', async () => {
  const session = connectHttp2(`https://127.0.0.1:${rig.port}`, { ca: rig.authority.ca, servername: 'app.test' });
  const stream = session.request({ ':authority': 'app.test', ':method': 'POST', ':path': '/a?b', cookie: ['x=1', 'y=2'] });
  const body = Buffer.alloc(300_000, 'body');
  stream.end(body);
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  expect([headers[':status'], headers['x-seen']]).toEqual([200, 'https app.test /a?b']);
  expect(Buffer.concat(chunks).equals(body)).toBe(true);
  const refused = session.request({ ':authority': 'app.test', ':path': '/a/../b' });
  const [refusal] = (await once(refused, 'response')) as [Record<string, string>];
  expect(refusal[':status']).toBe(400);
  refused.close();
  session.close();
  await until('nothing in flight', async () => (await rig.gateway.report()).inFlight === 0);
});

test('a WebSocket opens over HTTP/1.1 beside HTTP/2', async () => {
  const agent = new Agent({ ca: rig.authority.ca, servername: 'app.test' });
  const socket = new WebSocket(`wss://127.0.0.1:${rig.port}/`, { agent, headers: { host: 'app.test' } });
  await once(socket, 'open');
  socket.send('hello');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  expect(String(answer)).toBe('echo hello');
  socket.close();
  await once(socket, 'close');
});

test('bytes that are no TLS are cut off, and others are served', async () => {
  const client = await rawConnection(rig.port);
  client.send('GET / HTTP/1.1\r\nhost: app.test\r\n\r\n');
  await client.closed();
  const socket = await shake();
  socket.write('GET / HTTP/1.1\r\nhost: app.test\r\nconnection: close\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(String(answer)).toContain('HTTP/1.1 200');
  socket.destroy();
});

test('the plain listener serves where no redirect is asked for', async () => {
  const answer = await ask(rig.plainPort, { path: '/x' });
  expect([answer.status, answer.headers['x-seen']]).toEqual([200, 'http app.test /x']);
});
