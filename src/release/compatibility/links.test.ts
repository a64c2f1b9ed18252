import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../digest/json.ts';
import { objectOf } from './document-parts.ts';
import { compareApis } from './openapi.ts';
import { described } from './testdata/documents.ts';

const told = (before: JsonObject, after: JsonObject): readonly string[] =>
  compareApis(before, after).map(({ path, what, breaking }) => `${breaking ? '!' : '+'} ${path}: ${what}`);

/** An operation whose answer has these links, beside `GET /users/{id}`. */
function withUser(links: JsonObject, operationId = 'getUser'): JsonObject {
  const document = described({
    operation: { responses: { '200': { $ref: '#/components/responses/Linked' } } },
    rest: { components: { responses: { Linked: { links } } } },
  });
  return { ...document, paths: { ...objectOf(document['paths']), '/users/{id}': { get: { operationId, responses: {} } } } };
}

const path = 'POST /things/{id} response 200 link user';

test('links that come, go, lead elsewhere or are made otherwise are told', () => {
  const link = { operationId: 'getUser', parameters: { id: '$response.body#/user' } };
  expect(told(withUser({ user: link }), withUser({}))).toEqual([`! ${path}: the link is removed`]);
  expect(told(withUser({}), withUser({ user: link }))).toEqual([`+ ${path}: a new link`]);
  expect(told(withUser({ user: link }), withUser({ user: { ...link, operationId: 'other' } }))).toEqual([
    `! ${path}: it leads to another operation: GET /users/{} to other`,
  ]);
  expect(told(withUser({ user: link }), withUser({ user: { ...link, parameters: { id: '$response.body#/owner' } } }))).toEqual([
    `! ${path}: its parameters are made otherwise`,
  ]);
  expect(told(withUser({ user: link }), withUser({ user: { ...link, operationId: 'readUser' } }, 'readUser'))).toEqual([]);
});

const served = (...servers: Json[]): JsonObject => described({ rest: { servers } });
const own = (...servers: Json[]): JsonObject => described({ operation: { servers }, rest: { servers: [{ url: '/' }] } });

const servers: readonly [string, JsonObject, JsonObject, readonly string[]][] = [
  [
    'another base path',
    served({ url: 'https://a.example/v1' }),
    served({ url: 'https://a.example/v2/' }),
    ['! servers: nothing is behind the base path /v1 any more: /v2', '+ servers: a new server: https://a.example/v2/'],
  ],
  [
    'another host',
    served({ url: 'https://a.example/v1' }),
    served({ url: 'https://b.example/v1' }),
    ['+ servers: a server is removed: https://a.example/v1', '+ servers: a new server: https://b.example/v1'],
  ],
  ['a server more', served({ url: '/v1' }), served({ url: '/v1' }, { url: '/v2' }), ['+ servers: a new server: /v2']],
  ['servers where none were declared', described({}), served({ url: '/v1' }), ['+ servers: a new server: /v1']],
  ['no servers any more', served({ url: '/v1' }), described({}), ['+ servers: a server is removed: /v1']],
  [
    'a value of a variable that is gone',
    served({ url: '/{base}', variables: { base: { default: 'v2', enum: ['v1', 'v2'] } } }),
    served({ url: '/{base}', variables: { base: { default: 'v2' } } }),
    ['! servers: nothing is behind the base path /v1 any more: /v2'],
  ],
  [
    'a base path of one operation',
    own({ url: '/a' }),
    own({ url: '/b' }),
    ['! POST /things/{id} servers: nothing is behind the base path /a any more: /b', '+ POST /things/{id} servers: a new server: /b'],
  ],
];

test.each(servers)('%s is told', (_name, before, after, words) => {
  expect(told(before, after)).toEqual(words);
});
