import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../digest/json.ts';
import { compareApis } from './openapi.ts';

const order = {
  type: 'object',
  required: ['id', 'status'],
  properties: {
    id: { type: 'string' },
    status: { type: 'string', enum: ['open', 'paid'] },
    note: { type: 'string' },
    lines: { type: 'array', items: { $ref: '#/components/schemas/Line' } },
  },
};
const line = { type: 'object', required: ['sku'], properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } } };

interface Parts {
  readonly order?: JsonObject;
  readonly line?: JsonObject;
  readonly parameters?: readonly Json[];
  readonly operation?: JsonObject;
  readonly paths?: JsonObject;
  readonly version?: string;
}

const body = (schema: Json): JsonObject => ({ content: { 'application/json': { schema } } });
const withNote = (note: JsonObject): Parts => ({ order: { ...order, properties: { ...order.properties, note } } });
const withId = (id: JsonObject): Parts => ({ order: { ...order, properties: { ...order.properties, id } } });

function api(parts: Parts = {}): JsonObject {
  return {
    openapi: parts.version ?? '3.1.0',
    paths: {
      '/orders/{id}': {
        put: {
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }, ...(parts.parameters ?? [])],
          requestBody: { required: true, ...body({ $ref: '#/components/schemas/Order' }) },
          responses: { '200': body({ $ref: '#/components/schemas/Order' }), '404': { description: 'No such order.' } },
          ...parts.operation,
        },
      },
      ...parts.paths,
    },
    components: { schemas: { Order: parts.order ?? order, Line: parts.line ?? line } },
  };
}

const breaking = (after: JsonObject, before = api()): string[] =>
  compareApis(before, after)
    .filter((change) => change.breaking)
    .map(({ path, what }) => `${path}: ${what}`);

test('the same description has no changes', () => {
  expect(compareApis(api(), api())).toEqual([]);
});

test('another name of a path parameter is no change', () => {
  const renamed = api();
  const paths = { '/orders/{order}': (renamed['paths'] as JsonObject)['/orders/{id}'] as Json };
  expect(breaking({ ...renamed, paths })).toEqual([]);
});

const changes: readonly [string, JsonObject, string[]][] = [
  ['a removed operation', { ...api(), paths: {} }, ['PUT /orders/{id}: the operation is removed']],
  [
    'a new required parameter',
    api({ parameters: [{ name: 'tenant', in: 'query', required: true, schema: { type: 'string' } }] }),
    ['PUT /orders/{id} query parameter tenant: a new required parameter'],
  ],
  ['a new optional parameter', api({ parameters: [{ name: 'tenant', in: 'query', schema: { type: 'string' } }] }), []],
  [
    'a narrowed bound, deep in a request, and the same bound is no promise broken in the answer',
    api({ line: { ...line, properties: { ...line.properties, quantity: { type: 'integer', minimum: 2 } } } }),
    ['PUT /orders/{id} request lines[].quantity: the bounds are narrowed: minimum 2'],
  ],
  [
    'a removed field of the answer that was always sent',
    api({
      order: {
        ...order,
        required: ['status'],
        properties: { status: order.properties.status, note: order.properties.note, lines: order.properties.lines },
      },
    }),
    [
      'PUT /orders/{id} request id: a field is no longer looked at',
      'PUT /orders/{id} response 200 id: a field that was always sent is removed or optional',
    ],
  ],
  [
    'a removed field of the answer that was optional',
    api({ order: { ...order, properties: { id: order.properties.id, status: order.properties.status, lines: order.properties.lines } } }),
    ['PUT /orders/{id} request note: a field is no longer looked at', 'PUT /orders/{id} response 200 note: a field is removed'],
  ],
  [
    'a new required field of the request',
    api({ order: { ...order, required: ['id', 'status', 'note'] } }),
    ['PUT /orders/{id} request note: a field is now required'],
  ],
  ['a new optional field', api({ order: { ...order, properties: { ...order.properties, color: { type: 'string' } } } }), []],
  [
    'a new value of an enumeration, which only the reader of an answer minds',
    api({ order: { ...order, properties: { ...order.properties, status: { type: 'string', enum: ['open', 'paid', 'lost'] } } } }),
    ['PUT /orders/{id} response 200 status: values that were never sent: "lost"'],
  ],
  [
    'a removed value of an enumeration, which only the sender of a request minds',
    api({ order: { ...order, properties: { ...order.properties, status: { type: 'string', enum: ['open'] } } } }),
    ['PUT /orders/{id} request status: values are no longer taken: "paid"'],
  ],
  [
    'another type',
    api({ order: { ...order, properties: { ...order.properties, id: { type: 'integer' } } } }),
    [
      'PUT /orders/{id} request id: the type is narrowed: string is no longer taken',
      'PUT /orders/{id} response 200 id: the type is widened: it may be integer',
    ],
  ],
  [
    'a removed error response',
    api({ operation: { responses: { '200': { $ref: '#/components/responses/Order' } } } }),
    ['PUT /orders/{id} response 200 application/json: the media type is no longer sent'],
  ],
  [
    'credentials that were not needed',
    api({ operation: { security: [{ key: [] }] } }),
    ['PUT /orders/{id} security: credentials are now required'],
  ],
];

test.each(changes)('%s is named with its path', (_name, after, expected) => {
  expect(breaking(after)).toEqual(expected);
});

test('null is a type, written as in 3.0 and as in 3.1', () => {
  const old = api({ ...withNote({ type: 'string', nullable: true }), version: '3.0.3' });
  expect(breaking(api(withNote({ type: ['string', 'null'] })), old)).toEqual([]);
  expect(breaking(api(), old)).toEqual(['PUT /orders/{id} request note: the type is narrowed: null is no longer taken']);
});

test('a schema that contains itself is compared, and comparing it ends', () => {
  const tree = {
    type: 'object',
    properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/components/schemas/Order' } } },
  };
  const other = { ...tree, properties: { ...tree.properties, name: { type: 'integer' } } };
  expect(breaking(api({ order: tree }), api({ order: tree }))).toEqual([]);
  expect(breaking(api({ order: other }), api({ order: tree }))).toHaveLength(2);
});

test('references that lead nowhere or in a circle allow everything', () => {
  const circle = { $ref: '#/components/schemas/Line' };
  const odd = api({ order: circle, line: { $ref: '#/components/schemas/Order' } });
  expect(breaking(odd, odd)).toEqual([]);
});

test('an alternative less is named', () => {
  const either = { oneOf: [{ type: 'string' }, { type: 'integer' }] };
  expect(breaking(api(withId({ oneOf: [{ type: 'string' }] })), api(withId(either)))).toEqual([
    'PUT /orders/{id} request id: an alternative is no longer taken: {"type":"integer"}',
  ]);
});
