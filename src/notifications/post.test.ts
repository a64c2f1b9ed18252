import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { parseNetworks } from '../effects/networks.ts';
import { createPost, type PostRequest } from './post.ts';
import { startReceiver } from './testdata/receiver.ts';

const post = (url: string, extra: Partial<PostRequest> = {}, networks = 'public,loopback') =>
  createPost({ networks: parseNetworks(networks) ?? { allows: () => false }, clock: systemClock })({
    url,
    headers: { 'webhook-id': 'msg-1' },
    body: '{"a":"ü"}',
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    ...extra,
  });

/** Answers every connection with these bytes once it has said something, and then with `more` again and again. */
async function rawReceiver(answer: string, more?: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(answer);
      const pump = (): void => {
        if (more !== undefined) while (!socket.destroyed && socket.write(more));
      };
      socket.on('drain', pump);
      pump();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('a POST to a receiver', () => {
  it('carries its body and headers, and tells status and the beginning of the answer', async () => {
    const { url, received } = await startReceiver((response) => response.writeHead(202).end('thank you'));
    expect(await post(url)).toEqual({ answered: true, status: 202, text: 'thank you' });
    expect(received).toMatchObject([
      { id: 'msg-1', body: '{"a":"ü"}', headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': '10' } },
    ]);
  });

  it('follows no redirect', async () => {
    const elsewhere = await startReceiver();
    const { url } = await startReceiver((response) => response.writeHead(307, { location: elsewhere.url }).end());
    expect(await post(url)).toMatchObject({ answered: true, status: 307 });
    expect(elsewhere.received).toEqual([]);
  });

  it('does not wait for one that hangs, before or after its headers, nor for one that never ends', async () => {
    const silent = await rawReceiver('');
    expect(await post(silent, { timeoutMs: 50 })).toEqual({ answered: false, reason: 'it did not answer within 0.05 s' });
    const halfway = await rawReceiver('HTTP/1.1 200 OK\r\nX-A: ');
    expect(await post(halfway, { timeoutMs: 50 })).toMatchObject({ answered: false });
    const endless = await rawReceiver('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536));
    expect(await post(endless)).toEqual({ answered: true, status: 200, text: 'x'.repeat(8_192) });
    const headers = await rawReceiver('HTTP/1.1 200 OK\r\n', `x-${'y'.repeat(1_000)}: 1\r\n`);
    expect(await post(headers)).toMatchObject({ answered: false, reason: expect.stringContaining('HPE_HEADER_OVERFLOW') });
    const dripping = await rawReceiver('HTTP/1.1 503 No\r\nContent-Length: 999999\r\n\r\nno');
    expect(await post(dripping)).toEqual({ answered: true, status: 503, text: 'no' });
  });

  it('refuses an answer that is none, and one that would speak something else', async () => {
    expect(await post(await rawReceiver('hello\r\n\r\n'))).toMatchObject({ answered: false });
    expect(await post(await rawReceiver('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'))).toMatchObject({
      answered: false,
    });
  });

  it('reaches only what it may: neither by address, nor by a name that leads there, nor by another way of writing it', async () => {
    const { url, received } = await startReceiver();
    const { port } = new URL(url);
    const ways = ['127.0.0.1', 'localhost', '[::1]', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0'];
    for (const host of ways) {
      const result = await post(`http://${host}:${port}/hook`, {}, 'public,private');
      expect([host, result]).toEqual([host, { answered: false, reason: expect.stringContaining('SLUICE_WEBHOOK_NETWORKS') }]);
    }
    expect(await post('http://169.254.169.254/latest/meta-data')).toMatchObject({ answered: false });
    expect(received).toEqual([]);
    expect(await post(`http://localhost:${port}/hook`)).toMatchObject({ answered: true, status: 200 });
  });

  it.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'http://user:word@127.0.0.1/', 'javascript:1', 'http://', 'nothing', 'http://a b/'])(
    'is not sent to %j',
    async (url) => {
      expect(await post(url)).toEqual({ answered: false, reason: 'its URL is none that starts with http:// or https://' });
    },
  );

  it('says what is wrong without the URL, which may be a secret', async () => {
    const { url, stop } = await startReceiver();
    await stop();
    expect(await post(`${url}/token-81f2`)).toEqual({ answered: false, reason: 'nothing accepts connections there' });
    const unknown = await post('http://token-81f2.invalid/');
    expect(unknown).toMatchObject({ answered: false });
    expect(JSON.stringify(unknown)).not.toContain('81f2');
  });

  it('ends at once when it is told to, and reads when it may come again', async () => {
    const ending = new AbortController();
    const waiting = post(await rawReceiver(''), { signal: ending.signal });
    ending.abort();
    expect(await waiting).toEqual({ answered: false, reason: 'the control plane was ending' });
    const { url } = await startReceiver((response) => response.writeHead(429, { 'retry-after': '7' }).end());
    expect(await post(url)).toMatchObject({ status: 429, retryAfterMs: 7_000 });
  });
});
