import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createApiFixture } from '../api/testdata/api-fixture.ts';
import { hostsFor } from '../api/host-check.ts';
import { systemClock } from '../effects/clock.ts';
import { systemRandom } from '../effects/random.ts';
import { until } from '../testing/conditions.ts';
import { listen, type ApiServer } from './api-server.ts';

describe('the server of the API', () => {
  const open: ApiServer[] = [];
  const blockers: Server[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
    for (const blocker of blockers.splice(0)) blocker.close();
  });

  const serve = async (options: Partial<Parameters<typeof listen>[0]> = {}) => {
    const api = await createApiFixture({ allowedHosts: hostsFor('127.0.0.1') });
    const by = { clock: systemClock, random: systemRandom };
    const server = await listen({ app: api.app, host: '127.0.0.1', port: undefined, previousPort: undefined, ...by, ...options });
    open.push(server);
    return { api, url: server.url, port: Number(new URL(server.url).port) };
  };
  const block = async (): Promise<number> => {
    const blocker = createServer();
    blockers.push(blocker);
    await once(blocker.listen(0, '127.0.0.1'), 'listening');
    return (blocker.address() as AddressInfo).port;
  };

  it('comes back at its former port, and at any other when that one is taken', async () => {
    const first = await serve();
    // No connection that somebody makes while it is away is given this one.
    expect(first.port).toBeLessThan(32_768);
    await open.splice(0)[0]?.close();
    expect((await serve({ previousPort: first.port })).port).toBe(first.port);
    let now = 0;
    const impatient = { monotonic: () => (now += 1_000), sleep: () => Promise.resolve() };
    expect((await serve({ previousPort: await block(), clock: impatient })).port).toBeGreaterThan(0);
  });

  it('waits a moment for its former port: whoever looked for it there may have met themselves', async () => {
    const taken = await block();
    const [blocker] = blockers.splice(0);
    const clock = { monotonic: () => 0, sleep: async () => void (await once(blocker?.close() as Server, 'close')) };
    expect((await serve({ previousPort: taken, clock })).port).toBe(taken);
  });

  it('takes no other port than the one it was told to take', async () => {
    const port = await block();
    await expect(serve({ port, previousPort: undefined })).rejects.toMatchObject({ code: 'address_unavailable' });
    await expect(serve({ host: '203.0.113.1' })).rejects.toMatchObject({ code: 'address_unavailable' });
  });

  it('answers requests over a connection that is kept, and closes at once when it is idle', async () => {
    const { url, api } = await serve();
    for (let request = 0; request < 3; request += 1) {
      const response = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${api.keys.viewer}` } });
      expect(((await response.json()) as { version: string }).version).toBe('1.2.3');
    }
    const begun = performance.now();
    await open.splice(0)[0]?.close();
    expect(performance.now() - begun).toBeLessThan(900);
  });

  it('cuts a stream that does not end by itself when it closes', async () => {
    const { url, api } = await serve();
    const response = await fetch(`${url}/v1/events?follow=true`, { headers: { authorization: `Bearer ${api.keys.viewer}` } });
    const ended = response.text().then(
      () => 'ended',
      () => 'cut',
    );
    await open.splice(0)[0]?.close();
    expect(['ended', 'cut']).toContain(await ended);
  });

  it('answers who has no key before their endless body ends, and lets go of the connection', async () => {
    const { port } = await serve();
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    let closed = false;
    socket.on('data', (data: Buffer) => (answer += data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => (closed = true));
    socket.write('POST /v1/plans HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x1_00_00, 0x20), Buffer.from('\r\n')]);
    const send = (): void => {
      if (closed) return;
      if (socket.write(chunk)) setImmediate(send);
      else socket.once('drain', send);
    };
    send();
    await until('the connection to be closed', () => closed, 5_000);
    expect(answer).toContain('HTTP/1.1 401');
  });

  it('refuses headers that are too large and requests without a host', async () => {
    const { port } = await serve();
    const ask = async (text: string): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (data: Buffer) => (answer += data.toString()));
      socket.on('error', () => undefined);
      socket.end(text);
      await once(socket, 'close');
      return answer.slice(0, 12);
    };
    expect(await ask(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toBe('HTTP/1.1 431');
    expect(await ask('GET /healthz HTTP/1.1\r\n\r\n')).toBe('HTTP/1.1 400');
    expect(await ask('GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toBe('HTTP/1.1 421');
    expect(await ask('GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toBe('HTTP/1.1 421');
  });
});
