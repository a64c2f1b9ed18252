import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../digest/json.ts';
import { unfollowedReferences } from './document-parts.ts';
import { compareApis } from './openapi.ts';
import { readApi } from './read-api.ts';
import { described, object, reference } from './testdata/documents.ts';

/** A chain of schemas, each made of the next one. */
function chain(length: number, made: (next: JsonObject) => JsonObject): JsonObject {
  const schemas: Record<string, Json> = { [`S${length}`]: { type: 'string' } };
  for (let index = 0; index < length; index += 1) schemas[`S${index}`] = made(reference(`S${index + 1}`));
  return described({ request: reference('S0'), response: reference('S0'), schemas });
}

const nests: readonly [string, JsonObject][] = [
  ['contains itself', chain(0, (next) => next)],
  ['is all of itself', described({ request: reference('A'), schemas: { A: { allOf: [reference('A')] } } })],
  [
    'says of one property twice that it is itself',
    described({ request: reference('A'), schemas: { A: { allOf: [object({ a: reference('A') }), object({ a: reference('A') })] } } }),
  ],
  ['is not itself', described({ request: reference('A'), schemas: { A: { not: reference('A') } } })],
  ['means the next one twice, in properties', chain(40, (next) => object({ a: next, b: next }))],
  ['means the next one twice, all at once', chain(40, (next) => ({ allOf: [next, { ...next }] }))],
  ['means the next one twice, as alternatives', chain(12, (next) => ({ oneOf: [next, object({ a: next })] }))],
];

test.each(nests)('comparing a schema that %s ends', (_name, document) => {
  expect(compareApis(document, structuredClone(document))).toEqual([]);
});

function group(letter: string, count: number): JsonObject {
  return {
    oneOf: Array.from({ length: count }, (_, index) =>
      object({ [`${letter}${index}`]: { type: 'string' } }, { required: [`${letter}${index}`] }),
    ),
  };
}

function many(count: number): JsonObject {
  return described({ request: { allOf: [group('a', 9), group('b', 9), group('c', count)] } });
}

test('alternatives that multiply are compared group by group', () => {
  expect(compareApis(many(9), many(9))).toEqual([]);
  expect(compareApis(many(9), many(8)).filter(({ breaking }) => breaking)).toHaveLength(1);
});

test('what is nested beyond reading is cut, and told to be', () => {
  const [change, ...others] = compareApis(nested(1_000), nested(1_000));
  expect(others).toEqual([]);
  expect(change).toMatchObject({ breaking: true, what: 'too large or too deep to be compared whole' });
});

function nested(levels: number): JsonObject {
  let schema: JsonObject = { type: 'string' };
  for (let level = 0; level < levels; level += 1) schema = object({ a: schema });
  return described({ request: schema });
}

const unreadable: readonly [string, string][] = [
  ['nothing but brackets', `openapi: 3.1.0\npaths: ${'{a: '.repeat(50_000)}1${'}'.repeat(50_000)}`],
  ['an alias that leads around in a circle', 'openapi: 3.1.0\npaths: &a { b: *a }'],
  ['half a text', 'openapi: 3.1.0\npaths: { "/a": { get: '],
  ['a key twice', 'openapi: 3.1.0\npaths: {}\npaths: {}'],
  ['a list nested a thousand times', `{"openapi": "3.1.0", "paths": ${'['.repeat(1_000)}${']'.repeat(1_000)}}`],
];

test.each(unreadable)('%s is no description', (_name, text) => {
  expect(readApi(text)).toBeUndefined();
});

test('what is no schema, no parameter and no answer is passed over', () => {
  const odd = readApi('openapi: 3.0\npaths: { /a: { post: { parameters: 3, responses: [1], requestBody: ~, security: x } }, 5: ~ }');
  const broken = described({
    request: { type: {}, enum: 3, required: 'x', properties: [1], allOf: {}, $ref: '#/%E0%A4%A', oneOf: [null, 3] },
  });
  expect([compareApis(odd ?? {}, odd ?? {}), compareApis(broken, broken)]).toEqual([[], []]);
});

test('references to other files, and those that lead nowhere, are named', () => {
  const document = described({
    request: { $ref: 'https://example.org/a.yaml#/A' },
    response: { $ref: '#/components/schemas/Gone' },
    operation: { parameters: [{ name: 'q', in: 'query', example: { $ref: 'no reference' } }] },
  });
  expect(unfollowedReferences(document).toSorted()).toEqual(['#/components/schemas/Gone', 'https://example.org/a.yaml#/A']);
});
