import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestHead } from '../http/downstream.ts';
import { createServiceCache, type ServiceCache, type Sharing } from './service-cache.ts';

const settings = { ttlMs: 30_000, methods: ['GET'] as ('GET' | 'HEAD')[], vary: [] as string[], maxBytes: 1_000_000 };
const one: Sharing = { releases: ['r1'] };

function request(headers: Readonly<Record<string, string>> = {}, more: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    authority: 'app.test',
    host: 'app.test',
    target: '/a',
    headers: Object.entries(headers).flat(),
    protocol: 'HTTP/1.1',
    body: 'none',
    contentLength: 0,
    expectsContinue: false,
    upgrade: undefined,
    clientAddress: '127.0.0.1',
    isEncrypted: false,
    ...more,
  };
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly now?: number;
  readonly release?: string;
}

/** Passes an answer by the cache; whether it wanted it. */
function pass(
  cache: ServiceCache,
  head: RequestHead,
  { status = 200, headers = {}, body = 'body', now = 0, release }: Answer = {},
  sharing = one,
) {
  const writer = cache.view(sharing).writer(head, status, Object.entries(headers).flat(), now, release);
  for (const piece of body) writer?.write(Buffer.from(piece));
  writer?.end();
  return writer !== undefined;
}

const found = (cache: ServiceCache, head: RequestHead, now = 1, sharing = one, release?: string) =>
  cache.view(sharing).lookup(head, now, release);
const isFound = (...parameters: Parameters<typeof found>): boolean => found(...parameters) !== undefined;

describe('an answer', () => {
  test('is used again with its age, as often as asked, until its time is over', () => {
    const cache = createServiceCache(settings);
    pass(cache, request(), { headers: { ETag: '"1"', 'X-Request-Id': 'mine', 'content-length': '4' } });
    const answer = found(cache, request(), 2_500);
    expect(answer).toMatchObject({ status: 200, headers: ['ETag', '"1"', 'content-length', '4', 'age', '2'] });
    expect(answer?.body.toString()).toBe('body');
    expect([isFound(cache, request(), 29_999), isFound(cache, request(), 30_000)]).toEqual([true, false]);
  });

  test('that came in pieces gets the length it turned out to have', () => {
    const cache = createServiceCache(settings);
    pass(cache, request());
    expect(found(cache, request())?.headers).toEqual(['content-length', '4', 'age', '0']);
  });

  test('is for its own target, host and scheme alone', () => {
    const cache = createServiceCache(settings);
    pass(cache, request());
    for (const other of [{ target: '/b' }, { target: '/a?x' }, { host: 'other.test' }, { isEncrypted: true }]) {
      expect(isFound(cache, request({}, other))).toBe(false);
    }
  });

  test.each<[string, Readonly<Record<string, string>>, number | undefined]>([
    ['its own time, not the declared one', { 'cache-control': 'max-age=60' }, 60_000],
    ['the time for shared caches', { 'cache-control': 'max-age=1, S-MaxAge=90' }, 90_000],
    ['what is left of its time', { 'cache-control': 'max-age=60', age: '50' }, 10_000],
    ['the declared time when it says nothing of time', { 'cache-control': 'public' }, 30_000],
    ['its time although it must be validated after it', { 'cache-control': 'max-age=5, must-revalidate' }, 5_000],
    ['the time until it expires', { date: 'Sun, 22 Nov 2026 05:00:00 GMT', expires: 'Sun, 22 Nov 2026 05:00:20 GMT' }, 20_000],
    ['no time when it is old already', { 'cache-control': 'max-age=60', age: '60' }, undefined],
    ['no time when it has expired', { expires: '0' }, undefined],
    ['no time at all', { 'cache-control': 'max-age=0' }, undefined],
    ['nothing to keep', { 'Cache-Control': 'No-Store' }, undefined],
    ['nothing for others', { 'cache-control': 'private, max-age=60' }, undefined],
    ['nothing unless asked', { 'cache-control': 'no-cache' }, undefined],
    ['nothing unless asked, in the old way', { pragma: 'no-cache' }, undefined],
    ['a cookie to one user', { 'set-cookie': 'a=b', 'cache-control': 'public, max-age=60' }, undefined],
    ['everything makes a difference', { vary: 'accept, *', 'cache-control': 'max-age=60' }, undefined],
    ['it depends on what only the gateway tells', { vary: 'X-Forwarded-Host' }, undefined],
  ])('is kept for %s', (_what, headers, lifetimeMs) => {
    const cache = createServiceCache(settings);
    expect(pass(cache, request(), { headers })).toBe(lifetimeMs !== undefined);
    expect(cache.bytes() > 0).toBe(lifetimeMs !== undefined);
    const moments = [0, (lifetimeMs ?? 0) - 1, lifetimeMs ?? 0];
    const isKept = lifetimeMs !== undefined;
    expect(moments.map((now) => isFound(cache, request(), now))).toEqual([isKept, isKept, false]);
  });

  test.each([
    [200, true],
    [204, true],
    [301, true],
    [302, false],
    [404, false],
    [500, false],
    [206, false],
  ])('of status %i that says nothing is kept: %s', (status, isKept) => {
    expect(pass(createServiceCache(settings), request(), { status })).toBe(isKept);
  });

  test('of an error is kept for as long as it says itself', () => {
    expect(pass(createServiceCache(settings), request(), { status: 404, headers: { 'cache-control': 'max-age=5' } })).toBe(true);
    expect(pass(createServiceCache(settings), request(), { status: 503, headers: { 'cache-control': 'max-age=5' } })).toBe(false);
  });

  test('that broke off, or is not as long as it says, is not kept', () => {
    const cache = createServiceCache(settings);
    cache.view(one).writer(request(), 200, [], 0)?.write(Buffer.from('half'));
    for (const length of ['3', '5', 'x']) pass(cache, request(), { headers: { 'content-length': length } });
    expect(isFound(cache, request())).toBe(false);
  });

  test('is not changed by whoever uses its bytes again', () => {
    const cache = createServiceCache(settings);
    const writer = cache.view(one).writer(request(), 200, [], 0);
    const shared = Buffer.from('first');
    writer?.write(shared);
    shared.write('other');
    writer?.end();
    expect(found(cache, request())?.body.toString()).toBe('first');
  });
});

describe('a request', () => {
  test.each(['cookie', 'authorization', 'x-sluice-user'])('with %s gets only what says that it may be shared', (name) => {
    const cache = createServiceCache(settings);
    const personal = request({ [name]: 'me' });
    expect(pass(cache, personal)).toBe(false);
    pass(cache, request());
    expect(isFound(cache, personal)).toBe(false);
    expect(pass(cache, personal, { headers: { 'cache-control': 'public, max-age=60' } })).toBe(true);
    expect([isFound(cache, personal), isFound(cache, request())]).toEqual([true, true]);
  });

  test('with authorization has its answer kept by the rules for shared caches', () => {
    const cache = createServiceCache(settings);
    expect(pass(cache, request({ authorization: 'a' }), { headers: { 'cache-control': 'max-age=60' } })).toBe(false);
    expect(pass(cache, request({ authorization: 'a' }), { headers: { 'cache-control': 's-maxage=60' } })).toBe(true);
  });

  test('gets what was kept for one like it in the declared headers, its cookie too, and in those of Vary', () => {
    const cache = createServiceCache({ ...settings, vary: ['Accept-Language', 'cookie'] });
    const german = request({ 'accept-language': 'de', cookie: 'a=1', 'x-plan': 'pro' });
    expect(pass(cache, german, { headers: { Vary: 'X-Plan' } })).toBe(true);
    expect(isFound(cache, request({ 'X-Plan': 'pro', 'Accept-Language': 'de', Cookie: 'a=1' }))).toBe(true);
    for (const [name, value] of [
      ['accept-language', 'en'],
      ['cookie', 'a=2'],
      ['x-plan', 'free'],
    ] as const) {
      expect(isFound(cache, request({ 'accept-language': 'de', cookie: 'a=1', 'x-plan': 'pro', [name]: value }))).toBe(false);
    }
  });

  test('says itself when it wants nothing from a cache', () => {
    const cache = createServiceCache(settings);
    pass(cache, request());
    const unwilling: readonly [string, string][] = [
      ['Cache-Control', 'No-Cache'],
      ['cache-control', 'max-age=1'],
      ['cache-control', 'min-fresh=29'],
      ['pragma', 'no-cache'],
      ['range', 'bytes=0-1'],
    ];
    for (const [name, value] of unwilling) expect(isFound(cache, request({ [name]: value }), 2_000)).toBe(false);
    expect(isFound(cache, request({ 'cache-control': 'max-age=2, min-fresh=28' }), 2_000)).toBe(true);
    expect(pass(cache, request({ 'cache-control': 'no-store' }, { target: '/b' }))).toBe(false);
  });

  test('for the header alone gets that of the whole answer', () => {
    const cache = createServiceCache(settings);
    pass(cache, request());
    expect(found(cache, request({}, { method: 'HEAD' }))).toMatchObject({
      headers: ['content-length', '4', 'age', '0'],
      body: Buffer.alloc(0),
    });
    const heads = createServiceCache({ ...settings, methods: ['HEAD'] });
    pass(heads, request({}, { method: 'HEAD' }), { headers: { 'content-length': '900' }, body: '' });
    expect(found(heads, request({}, { method: 'HEAD' }))?.headers).toEqual(['content-length', '900', 'age', '0']);
    expect(isFound(heads, request())).toBe(false);
  });

  test.each(['"1"', 'W/"1"', '"0", "1"', '*'])('that has the answer already (%s) gets no body', (tag) => {
    const cache = createServiceCache(settings);
    pass(cache, request(), { headers: { etag: 'W/"1"', 'content-type': 'text/plain', 'content-length': '4' } });
    expect(found(cache, request({ 'if-none-match': tag }))).toEqual({
      status: 304,
      headers: ['etag', 'W/"1"', 'age', '0'],
      body: Buffer.alloc(0),
    });
    expect(found(cache, request({ 'if-none-match': '"2"' }))?.status).toBe(200);
  });

  test('that changes something makes what was kept of its target obsolete, unless it failed', () => {
    const cache = createServiceCache(settings);
    pass(cache, request());
    pass(cache, request({}, { target: '/b' }));
    pass(cache, request({}, { method: 'POST', body: 'length' }), { status: 409 });
    expect(isFound(cache, request())).toBe(true);
    expect(pass(cache, request({}, { method: 'POST', body: 'length' }))).toBe(false);
    expect([isFound(cache, request()), isFound(cache, request({}, { target: '/b' }))]).toEqual([false, true]);
  });

  test('with a body or a change of protocol has nothing to do with the cache', () => {
    const cache = createServiceCache(settings);
    pass(cache, request());
    for (const more of [{ body: 'length' }, { upgrade: 'websocket' }, { method: 'DELETE' }] as const)
      expect(isFound(cache, request({}, more))).toBe(false);
  });
});

describe('between two releases', () => {
  const both: Sharing = { releases: ['r1', 'r2'] };

  test('no answer of one is used for a request of the other', () => {
    const cache = createServiceCache(settings);
    pass(cache, request(), { release: 'r2', body: 'new' }, both);
    expect(found(cache, request(), 1, both, 'r2')?.body.toString()).toBe('new');
    expect(isFound(cache, request(), 1, both, 'r1')).toBe(false);
    expect([isFound(cache, request(), 1, both), pass(cache, request(), {}, both)]).toEqual([false, false]);
  });

  test('what the old one answered is gone with it, also what was still on its way', () => {
    const cache = createServiceCache(settings);
    pass(cache, request());
    const late = cache.view(one).writer(request(), 200, [], 0);
    expect(isFound(cache, request(), 1, { releases: ['r2'] })).toBe(false);
    late?.end();
    expect(isFound(cache, request(), 1, { releases: ['r2'] })).toBe(false);
    cache.view({ releases: ['r2'] });
    expect(cache.bytes()).toBe(0);
  });

  test('a weight that changes takes nothing away', () => {
    const cache = createServiceCache(settings);
    pass(cache, request());
    expect(isFound(cache, request(), 1, both, 'r1')).toBe(true);
    expect(isFound(cache, request())).toBe(true);
  });

  test('a tester neither gets nor leaves anything when nobody says which release it is', () => {
    const cache = createServiceCache(settings);
    const sharing = { ...one, overrideHeader: 'X-Release' };
    pass(cache, request());
    expect(isFound(cache, request({ 'x-release': 'r2' }), 1, sharing)).toBe(false);
    expect(pass(cache, request({ 'x-release': 'r2' }), {}, sharing)).toBe(false);
    expect(pass(cache, request({ 'x-release': 'r2' }), { release: 'r2' }, sharing)).toBe(false);
  });
});

test('a cache never takes more than it may, keeps no huge answer, and forgets what was used longest ago first', () => {
  const kept = fc.record({ key: fc.nat(12), bytes: fc.nat(3_000), language: fc.constantFrom('de', 'en') });
  fc.assert(
    fc.property(fc.array(kept, { maxLength: 60 }), (answers) => {
      const cache = createServiceCache({ ...settings, vary: ['accept-language'], maxBytes: 16_000 });
      for (const { key, bytes, language } of answers) {
        const head = request({ 'accept-language': language }, { target: `/${key}` });
        const writer = cache.view(one).writer(head, 200, ['content-length', String(bytes)], 0);
        expect(writer !== undefined).toBe(bytes <= 2_000);
        writer?.write(Buffer.alloc(bytes));
        writer?.end();
        expect(cache.bytes()).toBeLessThanOrEqual(16_000);
        expect(found(cache, head)?.body.length === bytes || writer === undefined).toBe(true);
      }
    }),
  );
  const cache = createServiceCache({ ...settings, maxBytes: 8 * 1_600 });
  for (let key = 0; key < 8; key += 1) pass(cache, request({}, { target: `/${key}` }), { body: 'x'.repeat(1_000) });
  found(cache, request({}, { target: '/0' }));
  pass(cache, request({}, { target: '/new' }), { body: 'x'.repeat(1_000) });
  expect([isFound(cache, request({}, { target: '/0' })), isFound(cache, request({}, { target: '/1' }))]).toEqual([true, false]);
});
