import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../digest/json.ts';
import { createFlagWorld, type FlagWorld } from '../testdata/flag-world.ts';
import { createRequestBudget } from './request-budget.ts';

const cite: JsonObject = {
  name: 'cite',
  variants: { on: true, off: false },
  default: 'off',
  rules: [
    { when: { plan: 'pro' }, serve: 'on' },
    { split: { on: 10, off: 90 }, by: 'user' },
  ],
};
const wanting = (environment: string) => ({ 'x-sluice-environment': environment });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
const color = { name: 'color', variants: { red: 'red', blue: 'blue' }, default: 'red' };

describe('OFREP', () => {
  let world: FlagWorld;
  let token: string;
  beforeEach(async () => {
    world = await createFlagWorld();
    await world.declare('production', cite);
    await world.declare('production', color);
    await world.declare('staging', { ...color, default: 'blue' });
    token = await world.service('production', 'agent', ['r-1', 'r-2']);
  });

  const ask = (path: string, body?: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }): Promise<Response> =>
    fetch(`${world.url}/ofrep/v1/evaluate/flags${path}`, { method: 'POST', headers, ...(body !== undefined && { body }) });

  it('answers for one flag with its key, value, variant, reason and metadata', async () => {
    const response = await ask('/cite', JSON.stringify({ context: { targetingKey: 'u', plan: 'pro' } }));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    const metadata = { flagSetId: 'production', version: expect.any(String), matched: '1' };
    expect(await response.json()).toEqual({ key: 'cite', value: true, variant: 'on', reason: 'TARGETING_MATCH', metadata });
    expect(await (await ask('/cite', '{"context":{"targetingKey":"u"}}')).json()).toMatchObject({ reason: 'SPLIT' });
    expect(await (await ask('/color', '{}')).json()).toMatchObject({ value: 'red', reason: 'STATIC' });
  });

  it.each([
    ['/cite', '{"context":{}}', 400, { key: 'cite', errorCode: 'TARGETING_KEY_MISSING' }],
    ['/cite', '{"context":', 400, { key: 'cite', errorCode: 'PARSE_ERROR' }],
    ['/cite', '\u0000', 400, { key: 'cite', errorCode: 'PARSE_ERROR' }],
    ['/cite', '{"context":"ann"}', 400, { key: 'cite', errorCode: 'INVALID_CONTEXT' }],
    ['/cite', JSON.stringify({ context: { big: 'x'.repeat(70_000) } }), 400, { key: 'cite', errorCode: 'INVALID_CONTEXT' }],
    ['/cite', `{"context":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_001)}`, 400, { key: 'cite', errorCode: 'INVALID_CONTEXT' }],
    ['/missing', '{}', 404, { key: 'missing', errorCode: 'FLAG_NOT_FOUND' }],
    ['/a%2Fb%20c', '{}', 404, { key: 'a/b c', errorCode: 'FLAG_NOT_FOUND' }],
    ['/a/b', '{}', 404, { key: 'a/b', errorCode: 'FLAG_NOT_FOUND' }],
    ['/__proto__', '{}', 404, { key: '__proto__', errorCode: 'FLAG_NOT_FOUND' }],
    ['/constructor', '{}', 404, { key: 'constructor', errorCode: 'FLAG_NOT_FOUND' }],
    ['/%E0%A4%A', '{}', 400, { key: '%E0%A4%A', errorCode: 'PARSE_ERROR' }],
    ['', '{"context":7}', 400, { errorCode: 'INVALID_CONTEXT' }],
  ])('answers POST %s with an error of the protocol', async (path, body, status, wanted) => {
    const response = await ask(path, body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ ...wanted, errorDetails: expect.any(String) });
  });

  it('decodes a percent-encoded key, and takes a request without a body', async () => {
    expect(await (await ask('/c%6Flor')).json()).toMatchObject({ key: 'color', value: 'red' });
  });

  it('answers for all flags at once, each with its own error, and names the stream of changes', async () => {
    const response = await ask('', '{"context":{}}');
    expect(response.status).toBe(200);
    const body = (await response.json()) as { flags: unknown[]; eventStreams: { type: string; endpoint: { requestUri: string } }[] };
    expect(body.flags).toMatchObject([
      { key: 'cite', errorCode: 'TARGETING_KEY_MISSING' },
      { key: 'color', value: 'red' },
    ]);
    expect(body.eventStreams).toEqual([
      { type: 'sse', endpoint: { requestUri: expect.stringMatching(/^\/ofrep\/v1\/changes\?ticket=/) }, inactivityDelaySec: 120 },
    ]);
    expect(JSON.stringify(body)).not.toContain(token);
  });

  it('has one ETag for the same flags and context, another one for any other, and answers 304 to it', async () => {
    const body = JSON.stringify({ context: { targetingKey: 'u', plan: 'free' } });
    const tagOf = async (text: string): Promise<string> => (await ask('', text)).headers.get('etag') ?? '';
    const tag = await tagOf(body);
    expect(tag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await tagOf(JSON.stringify({ context: { plan: 'free', targetingKey: 'u' } }))).toBe(tag);
    expect(await tagOf('{"context":{"targetingKey":"v"}}')).not.toBe(tag);
    for (const given of [tag, `W/${tag}`, `"x", ${tag}`, '*', tag.slice(1, -1)]) {
      const response = await ask('', body, { 'x-api-key': token, 'if-none-match': given });
      expect([given, response.status, response.headers.get('etag'), await response.text()]).toEqual([given, 304, tag, '']);
    }
    await world.api.flagParts.desk.kill('production', 'color', { actor: { key: 'key-1', name: 'ann', role: 'operator' } });
    const changed = await ask('', body, { 'x-api-key': token, 'if-none-match': tag });
    expect([changed.status, changed.headers.get('etag') === tag]).toEqual([200, false]);
  });

  it('lets pages of any origin ask, and read ETag and Retry-After', async () => {
    const preflight = await fetch(`${world.url}/ofrep/v1/evaluate/flags/cite`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.org',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-api-key',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('X-API-Key');
    for (const headers of [{ authorization: `Bearer ${token}` }, {}] as Record<string, string>[]) {
      const response = await ask('', '{}', headers);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-expose-headers')).toBe('ETag, Retry-After');
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  it('says 429 with the seconds to wait to who asks too often', async () => {
    let now = 0;
    const budget = createRequestBudget({ clock: { monotonic: () => now }, burst: 2, perSecond: 0.25 });
    const limited = await createFlagWorld({ evaluation: { ...world.api.flagParts.evaluation, budget } });
    const again = () => fetch(`${limited.url}/ofrep/v1/evaluate/flags/color`, { method: 'POST', headers: { 'x-api-key': token } });
    expect([(await again()).status, (await again()).status]).toEqual([200, 200]);
    const refused = await again();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '4']);
    expect(await refused.json()).toMatchObject({ key: 'color', errorCode: 'GENERAL' });
    now = 4_000;
    expect((await again()).status).toBe(200);
  });
});

describe('the right to evaluate', () => {
  it('is that of a service in its own environment, and of keys: bound ones in theirs, others where they say or where there is no choice', async () => {
    const world = await createFlagWorld();
    await world.declare('production', color);
    const { keys, keyring } = world.api;
    const ask = async (headers: Record<string, string>): Promise<readonly [number, unknown]> => {
      const response = await fetch(`${world.url}/ofrep/v1/evaluate/flags/color`, { method: 'POST', headers });
      return [response.status, ((await response.json()) as { value?: unknown }).value];
    };
    expect(await ask({ 'x-api-key': keys.evaluator })).toEqual([200, 'red']);
    await world.declare('staging', { ...color, default: 'blue' });
    const [production, staging] = [await world.service('production', 'agent', ['r-1']), await world.service('staging', 'agent', ['r-1'])];
    const { key: bound, details } = await keyring.create('admin', { name: 'web', role: 'evaluator', environment: 'staging' });

    expect(await ask(bearer(production))).toEqual([200, 'red']);
    expect(await ask(bearer(staging))).toEqual([200, 'blue']);
    expect(await ask({ ...bearer(staging), ...wanting('production') })).toEqual([403, undefined]);
    expect(await ask({ 'x-api-key': bound })).toEqual([200, 'blue']);
    expect(await ask({ 'x-api-key': bound, ...wanting('production') })).toEqual([403, undefined]);
    for (const role of ['viewer', 'operator', 'admin', 'evaluator'] as const) {
      expect(await ask({ 'x-api-key': keys[role] })).toEqual([400, undefined]);
      expect(await ask({ ...bearer(keys[role]), ...wanting('staging') })).toEqual([200, 'blue']);
    }
    for (const wrong of [
      {},
      bearer('x'),
      bearer(`${staging}x`),
      { 'x-api-key': '' },
      { cookie: `key=${keys.admin}` },
      { authorization: keys.admin },
    ]) {
      expect(await ask(wrong as Record<string, string>)).toEqual([401, undefined]);
    }
    await keyring.revoke(details.id);
    expect(await ask({ 'x-api-key': bound })).toEqual([401, undefined]);
    // A service's token opens nothing else, nor does a key that may only evaluate.
    expect((await fetch(`${world.url}/v1/environments/staging/flags`, { headers: bearer(staging) })).status).toBe(401);
    expect((await fetch(`${world.url}/v1/environments/staging/flags`, { headers: bearer(keys.evaluator) })).status).toBe(403);
  });

  it('ends with the key also where a stream was opened with a ticket, and a ticket opens nothing else', async () => {
    const world = await createFlagWorld();
    await world.declare('production', color);
    const { key, details } = await world.api.keyring.create('admin', { name: 'web', role: 'evaluator', environment: 'production' });
    const bulk = await fetch(`${world.url}/ofrep/v1/evaluate/flags`, { method: 'POST', headers: { 'x-api-key': key } });
    const { eventStreams } = (await bulk.json()) as { eventStreams: { endpoint: { requestUri: string } }[] };
    const uri = eventStreams[0]?.endpoint.requestUri ?? '';
    const open = async (path: string): Promise<number> => {
      const over = new AbortController();
      const { status } = await fetch(`${world.url}${path}`, { signal: over.signal });
      over.abort();
      return status;
    };
    expect(await open(uri)).toBe(200);
    expect(await open(`${uri}x`)).toBe(401);
    expect(await open(uri.replace('ticket=', 'ticket=A'))).toBe(401);
    expect(await open('/ofrep/v1/changes')).toBe(401);
    const ticket = uri.split('ticket=')[1] ?? '';
    expect((await fetch(`${world.url}/ofrep/v1/evaluate/flags`, { method: 'POST', headers: { 'x-api-key': ticket } })).status).toBe(401);
    await world.api.keyring.revoke(details.id);
    expect(await open(uri)).toBe(401);
  });
});
