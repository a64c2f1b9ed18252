import { describe, expect, it } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { createFlagDocuments } from '../../flags/flag-documents.ts';
import { createFlagSets } from '../../flags/flag-sets.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { until } from '../../testing/conditions.ts';
import { type ChangeReader, createChangeFeed } from './change-feed.ts';
import { changeStream } from './change-stream.ts';

const at = '2026-11-22T12:00:00.000Z';
const definition = { variants: { on: true, off: false }, default: 'off', rules: [] };
const record = { id: 'flag-1', environment: 'production', name: 'cite', declared: {}, definition, createdAt: at, changedAt: at };

function streamReader() {
  const told: string[] = [];
  return {
    told,
    tell: (text: Uint8Array) => void told.push(new TextDecoder().decode(text)),
    end: () => void told.push('end'),
  };
}

function world() {
  const documents = createFlagDocuments({ store: createMemoryStore(), clock: systemClock });
  const sets = createFlagSets({ documents, clock: systemClock });
  const closing = new AbortController();
  const refused = new Set<string>();
  const asked: string[] = [];
  const seconds: (() => void)[] = [];
  const clock = {
    ...systemClock,
    sleep: (_: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        seconds.push(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  const mayStill = async ({ holder }: { readonly holder: string }): Promise<boolean> => {
    asked.push(holder);
    return !refused.has(holder);
  };
  const feed = createChangeFeed({ sets, clock, closing: closing.signal, mayStill });
  const change = async (): Promise<void> => {
    await documents.change('production', 'cite', () => ({ after: record, change: { action: 'set', by: 'ann' } }));
    await sets.refresh('production');
  };
  return { feed, closing, refused, asked, seconds, change };
}

describe('a change', () => {
  it('is told to every stream that has not seen it, its holder asked after once, and ends the streams of who may not any longer', async () => {
    const { feed, refused, asked, change, closing } = world();
    await change();
    const [one, two, other, gone] = [streamReader(), streamReader(), streamReader(), streamReader()];
    await feed.join({ environment: 'production', holder: 'key-1' }, 1, one);
    await feed.join({ environment: 'production', holder: 'key-1' }, -1, two);
    await feed.join({ environment: 'production', holder: 'key-2' }, 1, other);
    const leave = await feed.join({ environment: 'production', holder: 'key-3' }, 1, gone);
    expect([one.told, two.told.length]).toEqual([[], 1]);
    leave();
    refused.add('key-2');
    await change();
    await until('the message', () => one.told.length === 1);
    expect(one.told[0]).toMatch(/^id: 2-[0-9a-f]{16}\ndata: \{"type":"refetchEvaluation","etag":"2","lastModified":\d+\}\n\n$/);
    expect([two.told[1], other.told, gone.told, asked]).toEqual([one.told[0], ['end'], [], ['key-1', 'key-2']]);
    closing.abort();
    await until('the end', () => one.told.at(-1) === 'end' && two.told.at(-1) === 'end');
    await feed.join({ environment: 'production', holder: 'key-1' }, -1, gone);
    expect([other.told, gone.told]).toEqual([['end'], ['end']]);
  });

  it('is not all that is told: a stream hears that it stands once in fifteen seconds', async () => {
    const { feed, seconds, closing } = world();
    const readers = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const one = streamReader();
        await feed.join({ environment: 'production', holder: 'key-1' }, 0, one);
        return one;
      }),
    );
    for (let second = 1; second <= 15; second += 1) {
      await until('the next second', () => seconds.length === second);
      seconds.at(-1)?.();
    }
    await until('all', () => readers.every(({ told }) => told.length === 1));
    expect(new Set(readers.flatMap(({ told }) => told))).toEqual(new Set([': heartbeat\n\n']));
    closing.abort();
  });

  it('ends the stream of a reader who takes nothing, and gives its place back once', async () => {
    const given: string[] = [];
    let joined: ChangeReader | undefined;
    const response = changeStream(
      (reader) => {
        joined = reader;
        return Promise.resolve(() => void given.push('left'));
      },
      { retryMs: 400, giveBack: () => void given.push('given back'), headers: {} },
    );
    await Promise.resolve();
    for (let message = 0; message < 1_000; message += 1) joined?.tell(new TextEncoder().encode('x'));
    expect(given).toEqual(['left', 'given back']);
    expect((await response.text()).length).toBeLessThan(200);
    expect(given).toEqual(['left', 'given back']);
  });
});
