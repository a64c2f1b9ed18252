import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../digest/json.ts';
import { createFlagWorld, type FlagWorld } from '../testdata/flag-world.ts';

// The schemas of OFREP 0.3 (open-feature/protocol, service/openapi.yaml), read more strictly where it leaves room: no field it does not name,
// and a value always. Its `oneOf` of value types is read as any one of them: read to the letter nothing could match it, for an integer is a
// float too, and everything is a "code default".
const metadata = z.record(z.string(), z.union([z.boolean(), z.string(), z.number()]));
const value = z.union([z.boolean(), z.string(), z.number(), z.record(z.string(), z.unknown())]);
const evaluationSuccess = z.strictObject({
  key: z.string(),
  reason: z.enum(['STATIC', 'TARGETING_MATCH', 'SPLIT', 'DISABLED', 'UNKNOWN']),
  variant: z.string(),
  value,
  metadata,
});
const errorDetails = z.string().min(1);
const evaluationFailure = z.strictObject({
  key: z.string(),
  errorCode: z.enum(['PARSE_ERROR', 'TARGETING_KEY_MISSING', 'INVALID_CONTEXT', 'GENERAL']),
  errorDetails,
});
const flagNotFound = z.strictObject({ key: z.string(), errorCode: z.literal('FLAG_NOT_FOUND'), errorDetails });
const bulkEvaluationFailure = z.strictObject({ errorCode: evaluationFailure.shape.errorCode, errorDetails });
const eventStream = z.strictObject({
  type: z.literal('sse'),
  endpoint: z.strictObject({ requestUri: z.string().regex(/^\//) }),
  inactivityDelaySec: z.number().int().min(1),
});
const bulkEvaluationSuccess = z.strictObject({
  flags: z.array(z.union([evaluationSuccess, evaluationFailure])),
  metadata,
  eventStreams: z.array(eventStream),
});
const sseEventData = z.strictObject({ type: z.literal('refetchEvaluation'), etag: z.string(), lastModified: z.number().int().min(0) });
const generalErrorResponse = z.looseObject({ errorDetails });

const single: Readonly<Record<number, z.ZodType>> = { 200: evaluationSuccess, 400: evaluationFailure, 404: flagNotFound };
const all: Readonly<Record<number, z.ZodType>> = { 200: bulkEvaluationSuccess, 400: bulkEvaluationFailure };
const refused: Readonly<Record<number, z.ZodType>> = { 401: generalErrorResponse, 403: generalErrorResponse, 429: generalErrorResponse };

const flags: readonly (JsonObject & { readonly name: string })[] = [
  { name: 'flag', variants: { on: true, off: false }, default: 'off', rules: [{ when: { plan: 'pro' }, serve: 'on' }] },
  { name: 'text', variants: { a: '', b: 'b' }, default: 'a', rules: [{ split: { a: 50, b: 50 }, by: 'user' }] },
  { name: 'number', variants: { few: 3, many: 8.5 }, default: 'few', rules: [{ split: { few: 50, many: 50 }, by: 'team' }] },
  { name: 'object', variants: { all: { tokens: 100, deep: { list: [1, null] } }, none: {} }, default: 'all' },
  { name: 'killed', variants: { on: true, off: false }, default: 'off' },
];

const context = (members: Record<string, unknown>): string => JSON.stringify({ context: members });

/** The status of an answer, once its headers and its body are as the specification says for that status. */
const statusOf = async (response: Response, schemas: Readonly<Record<number, z.ZodType>>): Promise<number> => {
  const { status, headers } = response;
  expect([headers.get('content-type'), headers.get('access-control-allow-origin')]).toEqual(['application/json', '*']);
  const schema = schemas[status] ?? refused[status];
  if (schema === undefined) throw new Error(`the specification knows no ${status} here`);
  schema.parse(await response.json());
  if (status === 429) expect(headers.get('retry-after')).toMatch(/^\d+$/);
  if (status === 200 && schemas === all) expect(headers.get('etag')).toMatch(/^"\S+"$/);
  return status;
};

describe('every answer', () => {
  let world: FlagWorld;
  beforeEach(async () => {
    world = await createFlagWorld();
    for (const each of flags) await world.declare('production', each);
    await world.api.flagParts.desk.kill('production', 'killed', { actor: { key: 'key-1', name: 'ann', role: 'operator' } });
  });

  const ask = async (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Response> =>
    world.api.app.fetch(new Request(`${world.url}/ofrep/v1/evaluate/flags${path}`, { method: 'POST', headers, body }));

  it('has the status, headers and body of the specification, for every type of flag, every error and every door', async () => {
    const { keys } = world.api;
    const good = { 'x-api-key': keys.evaluator };
    const cases: readonly (readonly [path: string, body: string, headers: Record<string, string>, status: number])[] = [
      ...flags.map(({ name }) => [`/${name}`, context({ targetingKey: 'u', plan: 'pro', team: 0 }), good, 200] as const),
      ['/flag', JSON.stringify({ context: { targetingKey: 'u' }, unknown: { field: 1 } }), good, 200],
      ['/text', context({}), good, 400],
      ['/number', context({ targetingKey: 'u' }), good, 400],
      ['/number', context({ team: { id: 1 } }), good, 400],
      ['/flag', '{', good, 400],
      ['/flag', 'null', good, 400],
      ['/flag', '{"context":"u"}', good, 400],
      ['/flag', '{"context":{"targetingKey":1}}', good, 400],
      ['/flag', context({ big: 'x'.repeat(70_000) }), good, 400],
      ['/none', context({ targetingKey: 'u' }), good, 404],
      ['/flag', context({}), {}, 401],
      ['/flag', context({}), { authorization: 'Bearer wrong' }, 401],
      ['/flag', context({}), { ...good, 'x-sluice-environment': 'staging' }, 200],
      ['', context({ targetingKey: 'u', plan: 'pro' }), { authorization: `Bearer ${keys.evaluator}` }, 200],
      ['', '[', good, 400],
      ['', '{"context":[]}', good, 400],
      ['', context({ big: 'x'.repeat(70_000) }), good, 400],
      ['', context({}), {}, 401],
    ];
    const bound = await world.api.keyring.create('admin', { name: 'web', role: 'evaluator', environment: 'production' });
    const elsewhere = { 'x-api-key': bound.key, 'x-sluice-environment': 'staging' };
    for (const [path, body, headers, status] of [
      ...cases,
      ['/flag', context({}), elsewhere, 403],
      ['', context({}), elsewhere, 403],
    ] as const) {
      // An environment without flags has none of the flags.
      const wanted = headers['x-sluice-environment'] === 'staging' && status === 200 ? 404 : status;
      const found = await statusOf(await ask(path, body, headers), path === '' ? all : single);
      expect([path, body.slice(0, 60), found]).toEqual([path, body.slice(0, 60), wanted]);
    }
    const tooLarge = await (await ask('/flag', context({ big: 'x'.repeat(70_000) }), good)).text();
    expect(tooLarge).toContain('INVALID_CONTEXT');
    expect(tooLarge).toMatch(/context/);
    expect(tooLarge).not.toMatch(/[Ss]tack/);
  });

  it('is one of the specification whatever the body is, and never our fault', async () => {
    const good = { 'x-api-key': world.api.keys.evaluator };
    const hostile = fc.oneof(
      fc.json({ maxDepth: 20 }),
      fc.json().map((text) => `{"context":${text}}`),
      fc
        .dictionary(fc.constantFrom('targetingKey', 'user', 'plan', 'team', '__proto__', 'constructor', '$flagd', ''), fc.jsonValue())
        .map((context) => JSON.stringify({ context })),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '{"context":{"targetingKey":"a","targetingKey":7}}',
        '{"context":{"plan":1e999}}',
        '\uFEFF{}',
        '{"__proto__":{"context":{}}}',
      ),
    );
    const bodies = fc.oneof(
      hostile,
      fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom('', ...flags.map(({ name }) => `/${name}`)), async (body, path) => {
        expect([200, 400]).toContain(await statusOf(await ask(path, body, good), path === '' ? all : single));
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it('is a 500 that tells nothing when the program has a fault, and an event of the specification on the stream', async () => {
    const ofrep = { single: () => Promise.reject(new Error('secret')), bulk: () => Promise.reject(new Error('secret')) };
    const broken = await createFlagWorld({ evaluation: { ...world.api.flagParts.evaluation, ofrep } });
    for (const path of ['', '/flag']) {
      const headers = { 'x-api-key': broken.api.keys.evaluator, 'x-sluice-environment': 'production' };
      const response = await fetch(`${broken.url}/ofrep/v1/evaluate/flags${path}`, { method: 'POST', headers, body: '{}' });
      const text = await response.text();
      expect([response.status, text.includes('secret')]).toEqual([500, false]);
      generalErrorResponse.parse(JSON.parse(text));
    }
    const stream = await fetch(`${world.url}/ofrep/v1/changes`, { headers: { 'x-api-key': world.api.keys.evaluator } });
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!/^data: .*\n\n/m.test(text)) text += (await reader?.read())?.value ?? '';
    await reader?.cancel();
    sseEventData.parse(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? ''));
    expect(text).not.toMatch(/^event: (?!message$)/m);
  });
});
