import { describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { until } from '../testing/conditions.ts';
import { createApiFixture, knownRun } from './testdata/api-fixture.ts';
import { eventStreamResponse } from './event-stream.ts';
import { readServerSentEvents, type ServerSentMessage } from './client/server-sent-events.ts';

const info = { type: 'change.progressed', level: 'info', environment: 'production' } as const;

async function take(response: Response, count: number): Promise<ServerSentMessage[]> {
  const messages: ServerSentMessage[] = [];
  for await (const message of readServerSentEvents(response.body as ReadableStream<Uint8Array>, () => undefined)) {
    messages.push(message);
    if (messages.length === count) break;
  }
  return messages;
}

describe('an event stream', () => {
  it('gives what has happened and what happens, under the sequence as id', async () => {
    const api = await createApiFixture();
    await api.events.publish({ ...info, message: 'before' });
    const response = await api.request('GET', '/v1/events?follow=true', { as: 'viewer' });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const taken = take(response, 2);
    await api.events.publish({ ...info, message: 'line one\nline two: {"a":1}\r\n\r\nid: 99' });
    const messages = await taken;
    expect(messages.map(({ id }) => id)).toEqual(['1', '2']);
    expect((JSON.parse(messages[1]?.data ?? '') as { message: string }).message).toBe('line one\nline two: {"a":1}\r\n\r\nid: 99');
  });

  it('goes on after the event a reader has seen last', async () => {
    const api = await createApiFixture();
    for (const message of ['a', 'b', 'c']) await api.events.publish({ ...info, message });
    const ask = (query: string, headers = {}) => api.request('GET', `/v1/events?follow=true${query}`, { as: 'viewer', headers });
    expect((await take(await ask('', { 'last-event-id': '2' }), 1))[0]?.id).toBe('3');
    expect((await take(await ask('&after=1'), 1))[0]?.id).toBe('2');
    expect((await take(await ask('&after=1', { 'last-event-id': '2' }), 1))[0]?.id).toBe('3');
    expect((await take(await ask('', { 'last-event-id': 'x; DROP' }), 1))[0]?.id).toBe('1');
  });

  it('holds only what was asked for', async () => {
    const api = await createApiFixture();
    await api.events.publish({ ...info, message: 'other', environment: 'staging' });
    await api.events.publish({ ...info, message: 'mine', run: knownRun.id });
    const page = await api.request('GET', `/v1/events?run=${knownRun.id}`, { as: 'viewer' });
    expect(await page.json()).toMatchObject({ items: [{ message: 'mine' }], last: 2 });
    const none = await api.request('GET', '/v1/events?environment=test', { as: 'viewer' });
    expect(await none.json()).toEqual({ items: [], last: 2 });
    expect((await api.request('GET', '/v1/events?run=run-ffff&follow=true', { as: 'viewer' })).status).toBe(404);
  });

  it('gives pages that join without a gap', async () => {
    const api = await createApiFixture();
    for (let number = 1; number <= 7; number += 1) await api.events.publish({ ...info, message: String(number) });
    const seen: string[] = [];
    for (let after = 0; after < 7; ) {
      const page = (await (await api.request('GET', `/v1/events?limit=3&after=${after}`, { as: 'viewer' })).json()) as {
        items: { message: string }[];
        last: number;
      };
      seen.push(...page.items.map(({ message }) => message));
      after = page.last;
    }
    expect(seen).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  it('ends when the server closes', async () => {
    const api = await createApiFixture();
    const response = await api.request('GET', '/v1/events?follow=true', { as: 'viewer' });
    const all = take(response, Number.POSITIVE_INFINITY);
    api.close.abort();
    expect(await all).toEqual([]);
  });

  it('tells all that was published before the server closes, however slow its reader is', async () => {
    const api = await createApiFixture();
    const response = await api.request('GET', '/v1/events?follow=true', { as: 'viewer' });
    for (let number = 1; number <= 700; number += 1) await api.events.publish({ ...info, message: String(number) });
    api.close.abort();
    expect(await take(response, Number.POSITIVE_INFINITY)).toHaveLength(700);
  });

  it('waits only a moment for a source that does not end', async () => {
    const closing = new AbortController();
    const source = { messages: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }) };
    const response = eventStreamResponse(source, { clock: systemClock, closing: closing.signal });
    const all = take(response, Number.POSITIVE_INFINITY);
    closing.abort();
    expect(await all).toEqual([]);
  });

  it('lets go of its source when the reader goes away', async () => {
    let released = false;
    const response = eventStreamResponse(
      {
        async *messages(signal) {
          try {
            yield { id: 1, data: 'first' };
            await systemClock.sleep(60_000, signal).catch(() => undefined);
          } finally {
            released = true;
          }
        },
      },
      { clock: systemClock, closing: new AbortController().signal },
    );
    expect(await take(response, 1)).toHaveLength(1);
    await until('the source to be released', () => released);
  });

  it('beats while nothing happens, so that a quiet connection is not taken for a dead one', async () => {
    const sleeps: number[] = [];
    const clock = { ...systemClock, sleep: (milliseconds: number) => Promise.resolve(void sleeps.push(milliseconds)) };
    const response = eventStreamResponse(
      {
        async *messages(signal) {
          await systemClock.sleep(60_000, signal).catch(() => undefined);
          yield* [];
        },
      },
      { clock, closing: new AbortController().signal },
    );
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const texts = [await reader.read(), await reader.read(), await reader.read()].map(({ value }) => new TextDecoder().decode(value));
    expect(texts).toEqual([': connected\n\n', ': heartbeat\n\n', ': heartbeat\n\n']);
    expect(sleeps[0]).toBe(15_000);
    await reader.cancel();
  });

  it('follows logs line by line, and answers 404 for a service that is not there', async () => {
    const api = await createApiFixture();
    const path = '/v1/environments/production/services';
    const response = await api.request('GET', `${path}/echo/logs?follow=true&tail=2`, { as: 'viewer' });
    const lines = await take(response, 2);
    expect(lines.map(({ data }) => JSON.parse(data) as unknown)).toEqual([
      { instance: 'echo-1', line: 'one' },
      { instance: 'echo-1', line: 'two: {"a":1}' },
    ]);
    expect((await api.request('GET', `${path}/nothing/logs?follow=true`, { as: 'viewer' })).status).toBe(404);
  });
});
