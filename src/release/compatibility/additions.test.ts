import { expect, test } from 'vitest';
import { compareApis } from './openapi.ts';
import { described, type Document, object, query } from './testdata/documents.ts';

const text = { type: 'string' };

const additions: readonly [string, Document, Document, string][] = [
  ['a field of the answer', { response: object({}) }, { response: object({ a: text }) }, 'response 200 a: a new field'],
  [
    'an optional field of the request',
    { request: object({ b: text }) },
    { request: object({ a: text, b: text }) },
    'request a: a new optional field',
  ],
  ['a value that is taken', { request: { enum: ['a'] } }, { request: { enum: ['a', 'b'] } }, 'request: more values are taken: "b"'],
  [
    'a value that is no longer sent',
    { response: { enum: ['a', 'b'] } },
    { response: { enum: ['a'] } },
    'response 200: values are no longer sent: "b"',
  ],
  [
    'a default',
    { parameters: [query({ type: 'integer', default: 10 })] },
    { parameters: [query({ type: 'integer', default: 20 })] },
    'query parameter q: the default is another one: 10 to 20',
  ],
  [
    'an answer',
    { operation: { responses: { '200': {} } } },
    { operation: { responses: { '200': {}, '202': {} } } },
    'response 202: a new response',
  ],
  ['credentials that are not asked for', { operation: { security: [{ key: [] }] } }, {}, 'security: credentials are no longer required'],
];

test.each(additions)('%s is told, and breaks nothing', (_name, before, after, told) => {
  const changes = compareApis(described(before), described(after));
  expect(changes.map(({ path, what, breaking }) => [`${path.replace('POST /things/{id} ', '')}: ${what}`, breaking])).toEqual([
    [told, false],
  ]);
});
