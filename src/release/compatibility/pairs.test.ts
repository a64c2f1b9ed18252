import { expect, test } from 'vitest';
import { compareApis } from './openapi.ts';
import { described, type Document, object, query, reference } from './testdata/documents.ts';

/** What breaks between two descriptions, without the operation's own name. */
function breaks(before: Document, after: Document): readonly string[] {
  const changes = compareApis(described(before), described(after)).filter(({ breaking }) => breaking);
  return changes.map(({ path, what }) => `${path.replace('POST /things/{id} ', '')}: ${what}`);
}

const text = { type: 'string' };
const whole = { type: 'integer' };
const cat = object({ kind: { const: 'cat' }, meow: text });
const dog = object({ kind: { const: 'dog' }, bark: text });
const pets = { Cat: cat, Dog: dog };
const pet = { oneOf: [reference('Cat'), reference('Dog')] };
const key = (name: string) => ({ components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name } } } });
const scoped = (...scopes: string[]) => ({ security: [{ login: scopes }] });
const answer = (...statuses: string[]) => ({ operation: { responses: Object.fromEntries(statuses.map((status) => [status, {}])) } });
const headers = (sent: Record<string, { schema: { type: string }; required?: boolean }>) => ({
  operation: { responses: { '200': { headers: sent } } },
});
const typed = (type: string, place: 'request' | 'response'): Document => {
  const content = { [type]: { schema: text } };
  return { operation: place === 'request' ? { requestBody: { content } } : { responses: { '200': { content } } } };
};

const pairs: readonly [string, Document, Document, readonly string[]][] = [
  // Parameters.
  [
    'a parameter that is gone',
    { parameters: [query(text)] },
    {},
    ['query parameter q: the parameter is removed: it is no longer looked at'],
  ],
  ['a parameter that was deprecated before it went', { parameters: [query(text, { deprecated: true })] }, {}, []],
  [
    'a parameter at another place',
    { parameters: [query(text)] },
    { parameters: [{ name: 'q', in: 'header', schema: text }] },
    ['query parameter q: the parameter is no longer looked at here: it moves to the header'],
  ],
  [
    'a parameter of the path said for all operations and again for one',
    {
      path: '/a/{x}/b/{y}',
      parameters: [
        { name: 'x', in: 'path', schema: whole },
        { name: 'y', in: 'path', schema: text },
      ],
    },
    {
      path: '/a/{x}/b/{y}',
      parameters: [
        { name: 'y', in: 'path', schema: text },
        { name: 'x', in: 'path', schema: whole },
      ],
    },
    [],
  ],
  ['a number that may be any text, in a query', { parameters: [query(whole)] }, { parameters: [query(text)] }, []],
  [
    'a text that has to be a number, in a query',
    { parameters: [query(text)] },
    { parameters: [query(whole)] },
    ['query parameter q: the type is narrowed: string is no longer taken'],
  ],
  [
    'a list that is written otherwise',
    { parameters: [query({ type: 'array', items: text })] },
    { parameters: [query({ type: 'array', items: text }, { style: 'pipeDelimited', explode: false })] },
    ['query parameter q: it is written otherwise: form, exploded to pipeDelimited'],
  ],
  [
    'a parameter that was optional',
    { parameters: [query(text)] },
    { parameters: [query(text, { required: true })] },
    ['query parameter q: the parameter is now required'],
  ],
  ['another default', { parameters: [query({ ...whole, default: 10 })] }, { parameters: [query({ ...whole, default: 20 })] }, []],
  // Bounds, formats, patterns.
  [
    'a shorter text',
    { request: object({ a: { ...text, maxLength: 9 } }) },
    { request: object({ a: { ...text, maxLength: 5 } }) },
    ['request a: the bounds are narrowed: maxLength 5'],
  ],
  ['a longer text', { request: object({ a: { ...text, maxLength: 5 } }) }, { request: object({ a: { ...text, maxLength: 9 } }) }, []],
  ['a bound that says nothing', { request: text }, { request: { ...text, minLength: 0, minItems: 3, minimum: 2 } }, []],
  ['the same bound, written exclusively', { request: { ...whole, minimum: 1 } }, { request: { ...whole, exclusiveMinimum: 0 } }, []],
  [
    'the same bound as a flag of 3.0 and as a number of 3.1',
    { version: '3.0.3', request: { type: 'number', minimum: 0, exclusiveMinimum: true } },
    { request: { type: 'number', exclusiveMinimum: 0 } },
    [],
  ],
  ['multiples', { request: whole }, { request: { ...whole, multipleOf: 5 } }, ['request: the bounds are narrowed: multipleOf 5']],
  ['a multiple of the multiple', { request: { ...whole, multipleOf: 10 } }, { request: { ...whole, multipleOf: 5 } }, []],
  [
    'items that have to differ',
    { request: { type: 'array', items: text } },
    { request: { type: 'array', items: text, uniqueItems: true } },
    ['request: the bounds are narrowed: uniqueItems'],
  ],
  ['a wider whole number in a request', { request: { ...whole, format: 'int32' } }, { request: { ...whole, format: 'int64' } }, []],
  [
    'a wider whole number in an answer',
    { response: { ...whole, format: 'int32' } },
    { response: { ...whole, format: 'int64' } },
    ['response 200: the format is no longer promised: int32'],
  ],
  [
    'another format in a request',
    { request: { ...text, format: 'date-time' } },
    { request: { ...text, format: 'date' } },
    ['request: a format is required: date'],
  ],
  ['a pattern that takes everything', { request: text }, { request: { ...text, pattern: '.*' } }, []],
  // Values and types.
  [
    'a constant where one of two values was taken',
    { request: { enum: ['a', 'b'] } },
    { request: { const: 'a' } },
    ['request: values are no longer taken: "b"'],
  ],
  ['values without a type, of the type', { request: { enum: ['a', 'b'] } }, { request: text }, []],
  ['true and false', { request: { type: 'boolean' } }, { request: { type: 'boolean', enum: [true, false] } }, []],
  ['values that the bounds take', { request: { enum: ['abc'] } }, { request: { ...text, maxLength: 3 } }, []],
  [
    'a value that the bounds do not take',
    { request: { enum: ['abcd'] } },
    { request: { ...text, maxLength: 3 } },
    ['request: the bounds are narrowed: maxLength 3'],
  ],
  ['null, of 3.0 and 3.1', { version: '3.0.3', request: { ...text, nullable: true } }, { request: { type: ['string', 'null'] } }, []],
  [
    'null, beside a reference of 3.0 and as an alternative of 3.1',
    { version: '3.0.3', response: { nullable: true, allOf: [reference('Cat')] }, schemas: pets },
    { response: { anyOf: [reference('Cat'), { type: 'null' }] }, schemas: pets },
    [],
  ],
  [
    'null where 3.1 does not know the word of 3.0',
    { version: '3.0.3', request: { ...text, nullable: true } },
    { request: { ...text, nullable: true } },
    ['request: the type is narrowed: null is no longer taken'],
  ],
  [
    'a whole number that may be any, in an answer',
    { response: whole },
    { response: { type: 'number' } },
    ['response 200: the type is widened: it may be number'],
  ],
  // Objects.
  [
    'a field of the request that nobody looks at any more',
    { request: object({ a: text, b: text }) },
    { request: object({ a: text }) },
    ['request b: a field is no longer looked at'],
  ],
  [
    'a required field of the request that only answers have',
    { request: object({}) },
    {
      request: object({ id: { ...text, readOnly: true } }, { required: ['id'] }),
    },
    [],
  ],
  [
    'a field of the answer that only requests have',
    { response: object({ a: { ...text, writeOnly: true } }) },
    { response: object({}) },
    [],
  ],
  [
    'a map of other values',
    { response: object({}, { additionalProperties: whole }) },
    { response: object({}, { additionalProperties: text }) },
    ['response 200 *: the type is widened: it may be string'],
  ],
  [
    'a request that takes nothing more',
    { request: object({ a: text }) },
    { request: object({ a: text }, { additionalProperties: false }) },
    ['request: a field is no longer taken: properties that are not named'],
  ],
  [
    'a pattern of names',
    { request: object({}) },
    { request: object({}, { patternProperties: { '^x-': whole } }) },
    ['request: what is not compared further is different: patternProperties'],
  ],
  [
    'fields that need each other',
    { request: object({ a: text, b: text }) },
    {
      request: object({ a: text, b: text }, { dependentRequired: { a: ['b'] } }),
    },
    ['request: what is not compared further is different: dependentRequired'],
  ],
  [
    'what must not be, behind the same reference',
    { request: { not: reference('Cat') }, schemas: { Cat: object({ kind: { const: 'cat' } }) } },
    { request: { not: reference('Cat') }, schemas: { Cat: object({ kind: text }) } },
    ['request: what is not compared further is different: not'],
  ],
  [
    'items by their place',
    { response: { prefixItems: [text, whole] } },
    { response: { prefixItems: [whole, text] } },
    ['response 200 [0]: the type is widened: it may be integer', 'response 200 [1]: the type is widened: it may be string'],
  ],
  // Composition.
  [
    'alternatives in another order',
    { response: pet, schemas: pets },
    { response: { oneOf: [...pet.oneOf].toReversed() }, schemas: pets },
    [],
  ],
  ['alternatives as a list of types', { request: { oneOf: [text, whole] } }, { request: { type: ['string', 'integer'] } }, []],
  [
    'an alternative more in an answer',
    { response: reference('Cat'), schemas: pets },
    { response: pet, schemas: pets },
    ['response 200: an alternative that was never sent: Dog'],
  ],
  ['an alternative more in a request', { request: reference('Cat'), schemas: pets }, { request: pet, schemas: pets }, []],
  [
    'a field that is gone within an alternative',
    { response: pet, schemas: pets },
    { response: pet, schemas: { ...pets, Cat: object({ kind: { const: 'cat' } }) } },
    ['response 200 meow: a field is removed'],
  ],
  [
    'alternatives beside alternatives',
    { request: { anyOf: [text, whole], oneOf: [text, whole] } },
    { request: { anyOf: [text, whole], oneOf: [text] } },
    ['request: an alternative is no longer taken: {"type":"integer"}'],
  ],
  [
    'another field that tells alternatives apart',
    { request: { ...pet, discriminator: { propertyName: 'kind' } }, schemas: pets },
    { request: { ...pet, discriminator: { propertyName: 'type' } }, schemas: pets },
    ['request: what tells the alternatives apart is different: type'],
  ],
  [
    'a name of an alternative less',
    { request: { ...pet, discriminator: { propertyName: 'kind', mapping: { cat: 'Cat', puss: 'Cat' } } }, schemas: pets },
    { request: { ...pet, discriminator: { propertyName: 'kind', mapping: { cat: 'Cat' } } }, schemas: pets },
    ['request: what tells the alternatives apart is different: puss'],
  ],
  [
    'what all of several schemas say, said at once',
    { request: { allOf: [object({ a: text }), object({ b: text })] } },
    {
      request: object({ a: text, b: text }),
    },
    [],
  ],
  [
    'a schema more that has to hold',
    { request: { allOf: [object({ a: text })] } },
    {
      request: { allOf: [object({ a: text }), { required: ['a'] }] },
    },
    ['request a: a field is now required'],
  ],
  [
    'a word beside a reference, which 3.1 looks at',
    { request: reference('Cat'), schemas: pets },
    { request: { ...reference('Cat'), required: ['meow'] }, schemas: pets },
    ['request meow: a field is now required'],
  ],
  [
    'a reference to another file that leads elsewhere',
    { response: { $ref: 'a.yaml#/A' } },
    { response: { $ref: 'b.yaml#/A' } },
    ['response 200: what is sent cannot be compared with what was promised: a.yaml#/A'],
  ],
  ['the same reference to another file', { response: { $ref: 'a.yaml#/A' } }, { response: { $ref: 'a.yaml#/A' } }, []],
  // Answers, media types.
  ['an answer of success less', answer('200', '201'), answer('200'), ['response 201: the response is removed']],
  ['an answer of failure less', answer('200', '404'), answer('200'), []],
  ['one status instead of its whole class', answer('2XX'), answer('200'), []],
  [
    'an answer of success that only the default is left of',
    answer('200', 'default'),
    answer('default'),
    ['response 200: the response is removed'],
  ],
  ['a header less', headers({ 'x-next': { schema: text } }), headers({}), ['response 200 header x-next: a header is removed']],
  [
    'a header that was always sent',
    headers({ 'x-next': { schema: text, required: true } }),
    headers({ 'X-Next': { schema: text } }),
    ['response 200 header x-next: a header that was always sent is removed or optional'],
  ],
  [
    'a header of another type',
    headers({ 'x-left': { schema: whole } }),
    headers({ 'x-left': { schema: text } }),
    ['response 200 header x-left: the type is widened: it may be string'],
  ],
  ['a character set', typed('application/json', 'response'), typed('Application/JSON; charset=utf-8', 'response'), []],
  ['a media type out of a range', typed('application/*', 'response'), typed('application/json', 'response'), []],
  ['a range of media types', typed('text/plain', 'request'), typed('text/*', 'request'), []],
  [
    'another media type',
    typed('text/plain', 'request'),
    typed('text/html', 'request'),
    ['request text/plain: the media type is no longer taken'],
  ],
  ['a body that is no longer looked at', { request: text }, {}, ['request application/json: the media type is no longer taken']],
  // Credentials.
  [
    'no credentials for one operation any more',
    { rest: { security: [{ key: [] }] } },
    {
      rest: { security: [{ key: [] }] },
      operation: { security: [] },
    },
    [],
  ],
  [
    'credentials for an operation that needed none',
    { rest: { security: [{ key: [] }] }, operation: { security: [] } },
    {
      rest: { security: [{ key: [] }] },
    },
    ['security: credentials are now required'],
  ],
  ['a scope more', { operation: scoped('read') }, { operation: scoped('read', 'write') }, ['security: login no longer suffices']],
  ['a scope less', { operation: scoped('read', 'write') }, { operation: scoped('read') }, []],
  [
    'the same name for another key',
    { rest: { ...key('X-Key'), security: [{ key: [] }] } },
    { rest: { ...key('X-Token'), security: [{ key: [] }] } },
    ['security: key no longer suffices'],
  ],
];

test.each(pairs)('%s', (_name, before, after, expected) => {
  expect(breaks(before, after)).toEqual(expected);
});

test.each(pairs)('%s: no change is none', (_name, before, after) => {
  expect(compareApis(described(before), described(before))).toEqual([]);
  expect(compareApis(described(after), described(after))).toEqual([]);
});
