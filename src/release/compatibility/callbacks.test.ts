import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../digest/json.ts';
import { compareApis } from './openapi.ts';
import { described, object, reference } from './testdata/documents.ts';

const text = { type: 'string' };
const json = (schema: JsonObject) => ({ 'application/json': { schema } });
const sends = (schema: JsonObject, more: JsonObject = {}) => ({ requestBody: { required: true, content: json(schema) }, ...more });
const answers = (response: JsonObject) => ({ responses: { '200': response } });
const event = (properties: JsonObject, required: string[]) => sends(object(properties, { required }));

type Place = readonly [name: string, prefix: string, place: (operation: JsonObject) => JsonObject];

const places: readonly Place[] = [
  ['a webhook', 'webhook paid POST', (post) => described({ rest: { webhooks: { paid: { post } } } })],
  ['a webhook of 3.0', 'webhook paid POST', (post) => described({ version: '3.0.3', rest: { 'x-webhooks': { paid: { post } } } })],
  [
    'a webhook that is referred to',
    'webhook paid POST',
    (post) =>
      described({ rest: { webhooks: { paid: { $ref: '#/components/pathItems/Paid' } }, components: { pathItems: { Paid: { post } } } } }),
  ],
  [
    'a callback',
    'POST /things/{id} callback paid POST',
    (post) => described({ version: '3.0.3', operation: { callbacks: { paid: { '{$request.body#/url}': { post } } } } }),
  ],
  [
    'a callback that is referred to',
    'POST /things/{id} callback paid POST',
    (post) =>
      described({
        operation: { callbacks: { paid: { $ref: '#/components/callbacks/Paid' } } },
        rest: { components: { callbacks: { Paid: { '{$request.body#/url}': { post } } } } },
      }),
  ],
];

const breaking: readonly [string, JsonObject, JsonObject, string][] = [
  ['a field that is gone', event({ id: text }, ['id']), event({}, []), ' request id: a field that was always sent is removed or optional'],
  [
    'a field that may be gone',
    event({ id: text }, ['id']),
    event({ id: text }, []),
    ' request id: a field that was always sent is removed or optional',
  ],
  ['a wider type', sends(text), sends({ type: ['string', 'integer'] }), ' request: the type is widened: it may be integer'],
  ['a new value', sends({ enum: ['a'] }), sends({ enum: ['a', 'b'] }), ' request: values that were never sent: "b"'],
  ['no body', sends(text), {}, ' request: a body is no longer sent'],
  ['a body at times', sends(text), { requestBody: { content: json(text) } }, ' request: a body is no longer always sent'],
  [
    'another media type',
    sends(text),
    { requestBody: { required: true, content: { 'text/csv': { schema: text } } } },
    ' request text/csv: a media type that was never sent',
  ],
  [
    'a header that is gone',
    { parameters: [{ name: 'x-key', in: 'header', required: true, schema: text }] },
    {},
    ' header parameter x-key: a parameter that was always sent is removed or optional',
  ],
  [
    'a field of the answer that is asked for',
    answers({ content: json(object({})) }),
    answers({ content: json(object({ ok: text }, { required: ['ok'] })) }),
    ' answer 200 ok: a new required field',
  ],
  ['an answer that is not taken', answers({}), { responses: { '204': {} } }, ' answer 200: the answer is no longer taken'],
  ['an answer that needs a body', answers({}), answers({ content: json(text) }), ' answer 200: the answer now needs a body'],
];

describe.each(places)('%s breaks its receivers with', (_place, prefix, place) => {
  test.each(breaking)('%s', (_name, before, after, told) => {
    const changes = compareApis(place(before), place(after)).filter((change) => change.breaking);
    expect(changes.map(({ path, what }) => `${path}: ${what}`)).toEqual([`${prefix}${told}`]);
  });
});

const harmless: readonly [string, JsonObject, JsonObject][] = [
  ['a new field', event({}, []), event({ id: text }, ['id'])],
  ['fewer values', sends({ enum: ['a', 'b'] }), sends({ enum: ['a'] })],
  ['a new header', {}, { parameters: [{ name: 'x-key', in: 'header', required: true, schema: text }] }],
  [
    'an answer that needs less',
    answers({ content: json(object({ ok: text }, { required: ['ok'] })) }),
    answers({ content: json(object({})) }),
  ],
  ['a further answer', answers({}), { responses: { '200': {}, '202': {} } }],
];

test.each(harmless)(
  '%s of what is sent breaks nobody, in the place where it would break a client that sends it',
  (_name, before, after) => {
    for (const [, , place] of places) {
      const [forth, back] = [compareApis(place(before), place(after)), compareApis(place(after), place(before))];
      expect([forth.some((change) => change.breaking), forth.length > 0]).toEqual([false, true]);
      expect(back.some((change) => change.breaking) || _name.startsWith('a further')).toBe(true);
    }
  },
);

const told = (before: JsonObject, after: JsonObject): readonly string[] =>
  compareApis(before, after).map(({ path, what, breaking: breaks }) => `${breaks ? '!' : '+'} ${path}: ${what}`);

const hooks = (...names: string[]) => described({ rest: { webhooks: Object.fromEntries(names.map((name) => [name, { post: {} }])) } });
const calls = (callbacks: JsonObject) => described({ operation: { callbacks } });
const at = (...addresses: string[]) => Object.fromEntries(addresses.map((address) => [address, { post: {} }]));

test('webhooks and callbacks that come and go, and addresses that move, are told', () => {
  expect(told(hooks('a'), hooks('b'))).toEqual(['! webhook a: the webhook is removed', '+ webhook b: a new webhook']);
  const path = 'POST /things/{id} callback';
  expect(told(calls({ a: at('{x}') }), calls({ b: at('{x}') }))).toEqual([
    `! ${path} a: the callback is removed`,
    `+ ${path} b: a new callback`,
  ]);
  expect(told(calls({ a: at('{x}') }), calls({ a: at('{y}') }))).toEqual([`! ${path} a: it is sent to another address: {x} to {y}`]);
  expect(told(calls({ a: { '{x}': { post: {} } } }), calls({ a: { '{x}': { put: {} } } }))).toEqual([
    `! ${path} a POST: the request is no longer sent`,
    `! ${path} a PUT: a request that was never sent`,
  ]);
});

const loop = (schema: JsonObject): JsonObject => {
  const callback = { $ref: '#/components/callbacks/Loop' };
  const post = { ...sends(reference('Node')), callbacks: { again: callback } };
  const paths = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`/p${index}`, { post }]));
  const items = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`{$url${index}}`, { post }]));
  return { openapi: '3.1.0', paths, components: { callbacks: { Loop: items }, schemas: { Node: schema } } };
};

test('callbacks that refer to themselves, and one that many operations share, end quickly', () => {
  const node = object({ next: reference('Node') });
  expect(compareApis(loop(node), loop(structuredClone(node)))).toEqual([]);
  const changes = compareApis(loop(object({ next: reference('Node'), a: text })), loop(node)).filter((change) => change.breaking);
  expect(changes.filter(({ what }) => what.startsWith('too many changes'))).toHaveLength(500);
});
