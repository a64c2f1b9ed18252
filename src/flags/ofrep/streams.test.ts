import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../testing/conditions.ts';
import { createFlagWorld, type FlagWorld } from '../testdata/flag-world.ts';
import { createOpenStreams } from './open-streams.ts';
import { createRequestBudget } from './request-budget.ts';

const color = { name: 'color', variants: { red: 'red', blue: 'blue' }, default: 'red' };
const actor = { key: 'key-1', name: 'ann', role: 'operator' } as const;

const etagOf = (text: string): string => /"etag":"(\d+)"/.exec(text.slice(text.lastIndexOf('data:')))?.[1] ?? '';

describe('a stream of changes', () => {
  let world: FlagWorld;
  let limited: FlagWorld;
  let token: string;
  beforeEach(async () => {
    world = await createFlagWorld();
    const budget = createRequestBudget({ clock: { monotonic: () => 0 }, burst: 10, perSecond: 1 });
    const streams = createOpenStreams({ perHolder: 2 });
    limited = await createFlagWorld({ evaluation: { ...world.api.flagParts.evaluation, budget, streams } });
    await world.declare('production', color);
    token = await world.service('production', 'agent', ['r-1']);
  });

  const bulk = (query = ''): Promise<Response> =>
    fetch(`${limited.url}/ofrep/v1/evaluate/flags${query}`, { method: 'POST', headers: { 'x-api-key': token }, body: '{}' });
  /** What a stream has told so far. */
  const open = async (headers: Record<string, string> = {}): Promise<{ text(): string; close(): void }> => {
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const { body, status } = await fetch(`${limited.url}/ofrep/v1/changes`, {
      headers: { 'x-api-key': token, ...headers },
      signal: over.signal,
    });
    if (status !== 200) throw new Error(String(status));
    let text = '';
    void body
      ?.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write: (chunk) => void (text += chunk) }))
      .catch(() => undefined);
    return { text: () => text, close: () => over.abort() };
  };

  it('lets who hears of a change fetch it, however much its key has asked before', async () => {
    const stream = await open();
    await until('the first event', () => etagOf(stream.text()) !== '');
    while ((await bulk()).status === 200) continue;
    const before = etagOf(stream.text());
    await world.api.flagParts.desk.kill('production', 'color', { actor });
    const etag = await until('the event', () => etagOf(stream.text()) !== before && etagOf(stream.text()));
    // As often as there are streams, and only for what is newest.
    expect([(await bulk(`?flagConfigEtag=${before}`)).status, (await bulk(`?flagConfigEtag=${etag}`)).status]).toEqual([429, 200]);
    expect((await bulk(`?flagConfigEtag=${etag}`)).status).toBe(429);
  });

  it('tells at once who has seen another history under the same number, and asks to come again soon', async () => {
    const first = await open();
    const id = await until('an id', () => /^id: (.+)$/m.exec(first.text())?.[1]);
    expect(first.text()).toMatch(/^retry: [456]\d\d$/m);
    first.close();
    const elsewhere = id.replace(/[0-9a-f]$/, (digit) => (digit === '0' ? '1' : '0'));
    const told = await open({ 'last-event-id': elsewhere });
    await until('the event', () => etagOf(told.text()) !== '');
    told.close();
    const silent = await until('a place', () => open({ 'last-event-id': id }).catch(() => false as const));
    await world.api.flagParts.desk.kill('production', 'color', { actor });
    await until('the change', () => etagOf(silent.text()) !== '');
    expect(silent.text().match(/^data:/gm)).toHaveLength(1);
  });

  it('gives its place back, also when its reader went before it had read anything', async () => {
    const other = await world.service('production', 'other', ['r-1']);
    for (let time = 0; time < 5; time += 1) {
      const request = new Request(`${limited.url}/ofrep/v1/changes`, {
        headers: { 'x-api-key': other },
      });
      const response = await limited.api.app.fetch(request);
      expect([time, response.status]).toEqual([time, 200]);
      await response.body?.cancel();
    }
  });
});
