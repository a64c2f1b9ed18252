import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answering, answering } from '../testing/answering.ts';
import { getOutbound } from './outbound.ts';

const seen: string[] = [];
let server: Answering;

/** Sends as fast as it is read, for ever. */
function flood(response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
  };
  response.on('drain', more);
  more();
}

beforeAll(async () => {
  server = await answering((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'nobody'}`);
    switch (request.url ?? '') {
      case '/fine':
        return response.end('fine');
      case '/elsewhere':
        return response.writeHead(302, { location: '/fine' }).end('over there');
      case '/endless':
        return flood(response);
      case '/broken':
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
        return setImmediate(() => response.destroy());
      case '/crumbs':
        return response.write('a crumb');
      default:
        // Never answered.
        return undefined;
    }
  });
});
afterAll(() => server.close());

const get = (path: string, timeoutMs = 5_000) =>
  getOutbound({ url: new URL(path, server.url), headers: { authorization: 'Bearer hidden' }, timeoutMs, mostBytes: 200_000 });

describe('a request to a declared address', () => {
  it('is one GET with the headers it was given', async () => {
    expect(await get('/fine')).toEqual({ status: 200, body: 'fine' });
    expect(seen).toEqual(['GET /fine Bearer hidden']);
  });

  it('follows no redirect: credentials go where they were meant to go', async () => {
    seen.length = 0;
    expect(await get('/elsewhere')).toEqual({ status: 302, body: 'over there' });
    expect(seen).toHaveLength(1);
  });

  it.each([
    ['/endless', 5_000, 'its answer is longer than 200000 bytes'],
    ['/broken', 5_000, 'aborted'],
    ['/crumbs', 100, 'it did not answer within 100 ms'],
    ['/silent', 100, 'it did not answer within 100 ms'],
  ])('to %s ends, and the reason shows neither headers nor the answer', async (path, timeoutMs, message) => {
    const error = (await get(path, timeoutMs).catch((thrown: unknown) => thrown)) as Error;
    expect([error instanceof Error, error.message]).toEqual([true, message]);
  });

  it('says who does not listen', async () => {
    const closed = await answering(() => undefined);
    await closed.close();
    await expect(getOutbound({ url: new URL(closed.url), timeoutMs: 5_000, mostBytes: 10 })).rejects.toThrow('ECONNREFUSED 127.0.0.1');
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:169.254.169.254]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://100.100.100.200/',
    'http://2852039166/',
    'http://168.63.129.16/',
    'http://0.0.0.0:9090/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://user:pass@127.0.0.1/',
    'file:///etc/passwd',
  ])('is not made to %s', async (url) => {
    await expect(getOutbound({ url: new URL(url), timeoutMs: 200, mostBytes: 10 })).rejects.toThrow(
      /^its (address is one for this machine or its cloud alone|URL (is|holds).*)$/,
    );
  });
});
