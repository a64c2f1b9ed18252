import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { createHttp2Rig, type Http2Rig } from './testing/http2-rig.ts';
import { frames, literals, type RawHttp2, rawHttp2, requestFields } from './testing/raw-http2.ts';

const endStream = 1;
const endHeaders = 4;
const protocolError = 1;
const enhanceYourCalm = 11;
let rig: Http2Rig;
let heard: string[] = [];
let lastHeaders: readonly string[] = [];
const clients: RawHttp2[] = [];

beforeAll(async () => {
  rig = await createHttp2Rig();
  rig.serve((downstream) => {
    heard.push(`begun ${downstream.head.target}`);
    lastHeaders = downstream.head.headers;
    return {
      body: () => heard.push('body'),
      bodyEnd: () => heard.push('end'),
      gone: (finished) => heard.push(`gone ${finished}`),
    };
  });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  heard = [];
});
afterAll(() => rig.close());

async function connect(): Promise<RawHttp2> {
  const client = await rawHttp2(rig.port, rig.authority.ca);
  clients.push(client);
  return client;
}

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const post = literals([...requestFields.slice(1), [':method', 'POST']]);
const isReset = (stream: number) => (frame: { type: number; stream: number }) => frame.type === frames.reset && frame.stream === stream;

test('a body that is broken off has no end, and the exchange hears that its client is gone', async () => {
  const client = await connect();
  client.send(frames.headers, endHeaders, 1, post);
  client.send(frames.data, 0, 1, Buffer.from('part'));
  await until('the body', () => heard.includes('body'));
  client.send(frames.reset, 0, 1, number(8));
  await until('the end', () => heard.some((each) => each.startsWith('gone')));
  expect(heard).toEqual(['begun /', 'body', 'gone false']);
});

test('a connection that is lost takes its bodies with it', async () => {
  const client = await connect();
  client.send(frames.headers, endHeaders, 1, post);
  client.send(frames.data, 0, 1, Buffer.from('part'));
  await until('the body', () => heard.includes('body'));
  client.destroy();
  await until('the end', () => heard.some((each) => each.startsWith('gone')));
  expect(heard).toEqual(['begun /', 'body', 'gone false']);
});

test.each<[string, readonly (readonly [string, string])[]]>([
  ['a field name in upper case', [...requestFields, ['X-Upper', 'a']]],
  ['a Connection field', [...requestFields, ['connection', 'keep-alive']]],
  ['a Transfer-Encoding field', [...requestFields, ['transfer-encoding', 'chunked']]],
  ['an Upgrade field', [...requestFields, ['upgrade', 'websocket']]],
  ['a TE field other than trailers', [...requestFields, ['te', 'gzip']]],
  ['a pseudo field twice', [...requestFields, [':path', '/b']]],
  ['a pseudo field after the others', [['a', 'b'], ...requestFields]],
  ['an unknown pseudo field', [...requestFields, [':other', 'x']]],
  ['a field of an answer', [...requestFields, [':status', '200']]],
  ['no path', requestFields.slice(0, 3)],
  ['no authority', requestFields.filter(([name]) => name !== ':authority')],
  ['an empty path', requestFields.map(([name, value]) => [name, name === ':path' ? '' : value] as const)],
  ['a path that is a URL', requestFields.map(([name, value]) => [name, name === ':path' ? 'https://app.test/' : value] as const)],
  ['a path with a space', requestFields.map(([name, value]) => [name, name === ':path' ? '/a b' : value] as const)],
  ['a Host field that differs', [...requestFields, ['host', 'other.test']]],
  ['two lengths', [...requestFields, ['content-length', '0'], ['content-length', '1']]],
  ['a length without its body', [...requestFields, ['content-length', '5']]],
  ['a plain scheme', requestFields.map(([name, value]) => [name, name === ':scheme' ? 'http' : value] as const)],
])('a request with %s reaches no service', async (_what, fields) => {
  const client = await connect();
  client.send(frames.headers, endHeaders | endStream, 1, literals(fields));
  const refused = await client.receives(
    'a refusal',
    (frame) =>
      isReset(1)(frame) || frame.type === frames.goaway || (frame.type === frames.data && frame.payload.includes('gateway_request_')),
  );
  expect(refused.type === frames.reset ? refused.payload.readUInt32BE(0) : protocolError).toBe(protocolError);
  expect(heard.filter((each) => each.startsWith('begun'))).toEqual([]);
});

test('a line break in a value never arrives', async () => {
  const client = await connect();
  client.send(frames.headers, endHeaders | endStream, 1, literals([...requestFields, ['x', 'a\r\nb: c']]));
  await until('an end', () => heard.length > 0 || client.received().some((frame) => isReset(1)(frame) || frame.type === frames.goaway));
  expect(lastHeaders.join('\n')).not.toContain('b: c');
});

test('a header that is too large is refused, and one that never ends closes the connection', async () => {
  const large = await connect();
  const filler = Array.from({ length: 150 }, (_, index): [string, string] => [`x-${index}`, 'v'.repeat(120)]);
  const block = literals([...requestFields, ...filler, ...filler.map(([name, value]): [string, string] => [`${name}-b`, value])]);
  large.send(frames.headers, endStream, 1, block.subarray(0, 16_000));
  large.send(frames.continuation, 0, 1, block.subarray(16_000, 32_000));
  large.send(frames.continuation, endHeaders, 1, block.subarray(32_000));
  await large.receives('a refusal', (frame) => isReset(1)(frame) || frame.type === frames.goaway || frame.type === frames.headers);

  const endless = await connect();
  endless.send(frames.headers, endStream, 1, literals(requestFields));
  for (let count = 0; count < 64 && !endless.isClosed(); count += 1) endless.send(frames.continuation, 0, 1, literals([['x', 'y']]));
  await endless.closed();
  expect(heard.filter((each) => each.startsWith('begun'))).toEqual([]);
});

test('a client that begins streams and resets them at once is cut off, and another one is served', async () => {
  const client = await connect();
  for (let id = 1; id < 20_000 && !client.isClosed(); id += 2) {
    client.send(frames.headers, endHeaders | endStream, id, literals(requestFields));
    client.send(frames.reset, 0, id, number(8));
    if (id % 200 === 1) await new Promise(setImmediate);
  }
  await client.closed();
  const goaway = client.received().find(({ type }) => type === frames.goaway);
  expect(goaway?.payload.readUInt32BE(4)).toBe(enhanceYourCalm);
  expect(heard.filter((each) => each.startsWith('begun')).length).toBeLessThan(2_000);
  const next = await connect();
  next.send(frames.headers, endHeaders | endStream, 1, literals(requestFields));
  await until('the next request', () => heard.at(-1) === 'begun /');
});

test.each([
  ['SETTINGS', frames.settings, 0],
  ['PING', frames.ping, 8],
])('a flood of %s frames is cut off', async (_name, type, bytes) => {
  const client = await connect();
  for (let count = 0; count < 20_000 && !client.isClosed(); count += 1) {
    client.send(type, 0, 0, Buffer.alloc(bytes));
    if (count % 200 === 0) await new Promise(setImmediate);
  }
  expect(await client.closed()).toBe(true);
});

test('more streams at a time than announced are not begun', async () => {
  const client = await connect();
  const settings = await client.receives('settings', ({ type, flags }) => type === frames.settings && flags === 0);
  const offset = Array.from({ length: settings.payload.length / 6 }, (_, index) => index * 6).find(
    (at) => settings.payload.readUInt16BE(at) === 3,
  );
  const most = settings.payload.readUInt32BE((offset ?? 0) + 2);
  expect(most).toBe(128);
  await client.receives('its acknowledgement', ({ type, flags }) => type === frames.settings && flags === 1);
  client.send(frames.settings, 1, 0);
  for (let id = 1; id <= 2 * most + 1; id += 2) client.send(frames.headers, endHeaders | endStream, id, literals(requestFields));
  await client.receives('a refusal', (frame) => isReset(2 * most + 1)(frame) || frame.type === frames.goaway);
  expect(heard.filter((each) => each.startsWith('begun')).length).toBeLessThanOrEqual(most);
});
