import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answering, answering } from '../../testing/answering.ts';
import { askHttp, valueAt } from './http-answer.ts';

let server: Answering;
beforeAll(async () => {
  server = await answering((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    response.writeHead(Number(pathname.slice(1)), { location: '/200' }).end(searchParams.get('body') ?? '');
  });
});
afterAll(() => server.close());

const ask = (status: number, body?: string, pointer?: string) =>
  askHttp(
    { type: 'http', url: `${server.url}/${status}?body=${encodeURIComponent(body ?? '')}`, ...(pointer !== undefined && { pointer }) },
    { timeoutMs: 5_000, ...(pointer !== undefined && { atLeast: 0.8 }) },
  ).catch((error: Error) => error.message);

it.each([
  [200, { outcome: 'pass', said: 'status 200' }],
  [204, { outcome: 'pass', said: 'status 204' }],
  [503, { outcome: 'fail', said: 'status 503' }],
  [404, { outcome: 'fail', said: 'status 404' }],
  [302, 'it answered with a redirect (302), which is not followed'],
])('a status of %i by itself comes to %j', async (status, expected) => {
  expect(await ask(status)).toEqual(expected);
});

it.each([
  [200, '{"score":0.8}', { outcome: 'pass', value: 0.8 }],
  [200, '{"score":0.7}', { outcome: 'fail', value: 0.7 }],
  [200, '{"score":1e999}', { outcome: 'no_data', said: 'the value is Infinity' }],
  [200, '{"score":null}', { outcome: 'no_data', said: 'there is nothing at /score' }],
  [200, '{}', { outcome: 'no_data', said: 'there is nothing at /score' }],
  [200, '{"score":"0.9"}', 'what is at /score is no number'],
  [200, '{"score":[0.9]}', 'what is at /score is no number'],
  [200, 'NaN', 'its answer is no JSON'],
  [500, '{"score":0.9}', 'it answered with status 500'],
])('an answer %i %s, of which a number is asked, comes to %j', async (status, body, expected) => {
  expect(await ask(status, body, '/score')).toEqual(expected);
});

it('a pointer leads through lists and escaped names, and never to what is inherited', () => {
  const document = { 'a/b': [{ 'c~d': 3 }] };
  expect(valueAt(document, '/a~1b/0/c~0d')).toBe(3);
  for (const pointer of ['/constructor', '/a~1b/length/x', '/__proto__/toString']) expect(valueAt(document, pointer)).toBeUndefined();
});
