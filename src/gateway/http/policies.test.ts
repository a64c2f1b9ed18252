import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../testing/conditions.ts';
import type { Waiting } from '../limits/limiter.ts';
import type { CopiedPair, Finished, Meter } from '../measuring/meter.ts';
import { type BareEngine, backendOf, createBareEngine, instanceAt } from '../testing/bare-engine.ts';
import { ask, portOf, rawConnection } from '../testing/raw-client.ts';
import { testPort } from '../../testing/test-port.ts';

const servers: Server[] = [];
let bare: BareEngine;
afterEach(() => {
  bare.close();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

function serve(handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  servers.push(server);
  return portOf(server);
}

function recordingMeter(): Meter & { begun: number; readonly ended: Finished[]; readonly pairs: CopiedPair[] } {
  const meter = {
    begun: 0,
    ended: [] as Finished[],
    begin: () => {
      meter.begun += 1;
    },
    end: (finished: Finished) => {
      meter.ended.push({ ...finished });
    },
    ejected: () => {},
    pairs: [] as CopiedPair[],
    copied: (pair: CopiedPair) => {
      meter.pairs.push(pair);
    },
  };
  return meter;
}

test('a rate limit refuses with 429 and says when to come again', async () => {
  const port = await serve((_req, res) => res.end('ok'));
  const taken: string[] = [];
  const take = (key: string): number => (taken.push(key) > 1 ? 2_500 : 0);
  bare = await createBareEngine([backendOf('r1', 1, [instanceAt('a', port)])], {
    rateLimiters: [{ limiter: { take, spend: () => {} }, keyOf: (head) => head.clientAddress }],
  });
  expect((await ask(bare.port)).status).toBe(200);
  const refused = await ask(bare.port);
  expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '3' } });
  expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'gateway_rate_limited', request_id: refused.headers['x-request-id'] } });
  expect(taken).toEqual(['127.0.0.1', '127.0.0.1']);
});

test('a request waits at the door with its body unread, and goes on or is shed', async () => {
  const port = await serve((req, res) => void text(req).then((body) => res.end(`got ${body.length}`)));
  const queue: Waiting[] = [];
  let left = 0;
  const meter = recordingMeter();
  bare = await createBareEngine([backendOf('r1', 1, [instanceAt('a', port)], { meter })], {
    priority: 'low',
    limiter: {
      enter: (waiting) => (queue.push(waiting) > 2 ? 'shed' : 'waiting'),
      leave: () => {
        left += 1;
      },
      cancel: (waiting) => queue.splice(queue.indexOf(waiting), 1),
      resize: () => {},
      expire: () => {},
      running: () => 0,
      placed: () => 0,
      share: () => {},
      queued: () => queue.length,
      waitMs: () => 1_000,
    },
  });
  const first = ask(bare.port, { method: 'POST' }, 'x'.repeat(300_000));
  await until('it to wait', () => queue.length === 1);
  expect(queue[0]?.priority).toBe('low');
  const second = await rawConnection(bare.port);
  second.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
  await until('the other to wait', () => queue.length === 2);
  const shed = await ask(bare.port);
  expect(shed).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  expect(JSON.parse(shed.body)).toMatchObject({ error: { code: 'gateway_overloaded' } });
  await until('the refusal to be counted', () => meter.ended.length === 1);
  expect(meter.ended[0]).toMatchObject({ status: 503, ending: 'refused', by: 'override', probability: 1 });
  expect(meter.begun).toBe(1);
  queue[0]?.granted();
  expect((await first).body).toBe('got 300000');
  await until('it to be counted', () => meter.ended.length === 2);
  expect(left).toBe(1);
  expect(meter.ended[1]?.queuedMs).toBeGreaterThan(0);
  const waiting = queue[1];
  second.socket.destroy();
  await until('the one that left to be out of the queue', () => waiting !== undefined && !queue.includes(waiting));
  expect(left).toBe(1);
  expect(bare.engine.running.size).toBe(0);
});

test('an answer from the cache asks no instance, and one on its way may be kept', async () => {
  let asked = 0;
  const port = await serve((_req, res) => {
    asked += 1;
    res.end('fresh');
  });
  const kept: Buffer[] = [];
  let isKept = false;
  bare = await createBareEngine([backendOf('r1', 1, [instanceAt('a', port)])], {
    cache: {
      lookup: () => (isKept ? { status: 200, headers: ['age', '1', 'content-length', '5'], body: Buffer.concat(kept) } : undefined),
      writer: () => ({
        write: (chunk) => kept.push(chunk),
        end: () => {
          isKept = true;
        },
      }),
    },
  });
  expect((await ask(bare.port)).body).toBe('fresh');
  expect(await ask(bare.port)).toMatchObject({ body: 'fresh', headers: { age: '1' } });
  expect(await ask(bare.port, { method: 'HEAD' })).toMatchObject({ body: '', headers: { 'content-length': '5' } });
  expect(asked).toBe(1);
});

const named = (name: string) => (_req: IncomingMessage, res: ServerResponse) => {
  res.setHeader('x-sluice-attributes', `from=${name}`);
  res.end(name);
};

test('the split decides the release, and the meter hears by what chance', async () => {
  const [one, two] = [await serve(named('one')), await serve(named('two'))];
  const meter = recordingMeter();
  const candidate = backendOf('r2', 1, [instanceAt('b', two, 'r2')], { meter });
  const stable = backendOf('r1', 1_000_000, [instanceAt('a', one)]);
  bare = await createBareEngine([candidate, stable], {
    split: { isTesters: () => false, assign: () => ({ backend: candidate, probability: 0.25, by: 'unit', unit: 7 }) },
  });
  expect((await ask(bare.port)).body).toBe('two');
  await until('it to be counted', () => meter.ended.length === 1);
  expect(meter.ended[0]).toMatchObject({
    status: 200,
    ending: 'answered',
    retries: 0,
    probability: 0.25,
    by: 'unit',
    unit: 7,
    attributes: 'from=two',
  });
  expect(meter.ended[0]?.totalMs).toBeGreaterThanOrEqual(meter.ended[0]?.firstByteMs ?? Number.POSITIVE_INFINITY);
});

test('a mirror gets a copy of what is small enough, and its answer, slowness or absence is nobody’s affair', async () => {
  const seen: string[] = [];
  const port = await serve((req, res) => void text(req).then(() => res.end('answer')));
  const mirrorPort = await serve((req, res) => {
    void text(req).then((body) => seen.push(`${req.method} ${String(req.headers['x-sluice-mirrored'])} ${body}`));
    if (req.url !== '/hangs') res.end('x'.repeat(2_000_000));
  });
  const dead = instanceAt('dead', await testPort(), 'r2');
  const meter = recordingMeter();
  const mirror = { backend: backendOf('r2', 0, [instanceAt('m', mirrorPort, 'r2'), dead], { meter }), percent: 100, bodyBytes: 10 };
  bare = await createBareEngine([backendOf('r1', 1, [instanceAt('a', port)])], { mirror });
  expect((await ask(bare.port)).body).toBe('answer');
  expect((await ask(bare.port, { method: 'POST' }, 'small')).body).toBe('answer');
  expect((await ask(bare.port, { method: 'POST' }, 'much too large')).body).toBe('answer');
  expect((await ask(bare.port, { path: '/hangs' })).body).toBe('answer');
  await until('the copies', () => seen.length === 3);
  expect(seen.toSorted()).toEqual(['GET 1 ', 'GET 1 ', 'POST 1 small']);
  await until('the pairs to be counted', () => meter.pairs.length === 2);
  expect(meter.pairs).toMatchObject([1, 2].map(() => ({ release: 'r1', original: { isError: false }, copy: { isError: false } })));
  expect([meter.begun, meter.ended.length]).toEqual([0, 0]);
  await until('the answered copies to be forgotten', () => bare.engine.mirrored.size === 1);
  expect(bare.engine.running.size).toBe(0);
});

test('a retry is made only while the budget lets it', async () => {
  const dead = await testPort();
  let left = 1;
  bare = await createBareEngine([backendOf('r1', 1, [instanceAt('a', dead), instanceAt('b', dead), instanceAt('c', dead)])], {
    retryBudget: {
      deposit: () => {},
      withdraw: () => {
        left -= 1;
        return left >= 0;
      },
    },
  });
  expect((await ask(bare.port)).status).toBe(502);
  expect(bare.reports).toHaveLength(2);
});
