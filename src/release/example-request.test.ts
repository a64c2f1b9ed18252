import { expect, it } from 'vitest';
import { exampleRequest } from './example-request.ts';

it('takes the first operation whose request body has an example', () => {
  const text = `
openapi: 3.1.0
paths:
  /healthz: { get: { responses: {} } }
  /sessions/{id}: { get: { parameters: [{ name: id, in: path, required: true, schema: { type: string } }] } }
  /messages:
    post:
      requestBody:
        content:
          application/json:
            example: { text: "How do I reset my password?" }
`;
  const body = '{"text":"How do I reset my password?"}';
  expect(exampleRequest(text)).toEqual({ method: 'POST', path: '/messages', headers: { 'content-type': 'application/json' }, body });
});

it('finds named examples, those of schemas, and fills in parameters', () => {
  const named = '{"paths":{"/a":{"put":{"requestBody":{"content":{"text/plain":{"examples":{"short":{"value":"hello"}}}}}}}}}';
  expect(exampleRequest(named)).toEqual({ method: 'PUT', path: '/a', headers: { 'content-type': 'text/plain' }, body: 'hello' });
  const parameters = `
paths:
  /search/{area}:
    parameters: [{ name: area, in: path, required: true, example: "a b" }]
    get: { parameters: [{ name: q, in: query, schema: { examples: [printer] } }, { name: X-Plan, in: header, example: pro }] }
`;
  expect(exampleRequest(parameters)).toEqual({ method: 'GET', path: '/search/a%20b?q=printer', headers: { 'x-plan': 'pro' } });
});

it('finds nothing in what shows no request, and in what is no description at all', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\npaths: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]`;
  const texts = [
    '',
    '[]',
    'paths: 7',
    'paths: { /a: { get: {} } }',
    'paths: { /a: { post: { requestBody: { content: {} } } } }',
    ': : :',
    bomb,
  ];
  expect(texts.map(exampleRequest)).toEqual(texts.map(() => undefined));
});
