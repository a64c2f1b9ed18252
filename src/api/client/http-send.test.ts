import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpSend } from './http-send.ts';
import { createTransport } from './transport.ts';

describe('a request without fetch', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const { method, headers } = request;
      if (request.url === '/cut') response.writeHead(200, { 'content-length': 10 }).write('{', () => response.destroy());
      else if (request.url === '/elsewhere') response.writeHead(302, { location: '/' }).end();
      else if (request.url === '/stream') response.write('id: 1\ndata: "é"\n\n');
      else
        void request
          .toArray()
          .then((body) => response.end(JSON.stringify({ method, body: body.join(''), reason: headers['x-sluice-reason'] })));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const transport = (to = url) => createTransport({ url: to, key: 'sk_x', reason: 'für alle', fetch: httpSend });

  it('sends and reads as fetch does', async () => {
    const sent = await transport().json('POST', '/', { text: 'é' });
    expect(sent).toEqual({ method: 'POST', body: '{"text":"é"}', reason: 'f%C3%BCr%20alle' });
    expect(await transport().text('/')).toContain('"GET"');
  });

  it('says that nobody answers when that is refused, cut, or somebody else', async () => {
    const refused = { code: 'control_plane_unreachable' };
    await expect(transport('http://127.0.0.1:1').json('GET', '/')).rejects.toMatchObject(refused);
    await expect(transport().json('GET', '/cut')).rejects.toMatchObject(refused);
    await expect(transport().json('GET', '/elsewhere')).rejects.toMatchObject(refused);
  });

  it('gives a stream as it comes, and ends it with its signal', async () => {
    const over = new AbortController();
    const told: unknown[] = [];
    const read = (async () => {
      for await (const { id, data } of transport().stream('/stream', { signal: over.signal })) {
        told.push([id, data]);
        over.abort(new Error('enough'));
      }
    })();
    await expect(read.catch(() => 'ended')).resolves.toBe('ended');
    expect(told).toEqual([['1', '"é"']]);
  });
});
