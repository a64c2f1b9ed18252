import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { createEventLog } from './event-log.ts';
import type { EventLog, SluiceEvent } from './events.ts';

let folder: string;
let store: Store;
let events: EventLog;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-events-'));
  store = await openSqliteStore({ path: join(folder, 'state.db') });
  events = createEventLog({ store, clock: { ...systemClock, now: () => 1_800_000_000_000 } });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const publish = (message: string) => events.publish({ type: 'run.started', level: 'info', message });

/** Follows until `count` events came, then stops. */
async function take(count: number, after = 0): Promise<SluiceEvent[]> {
  const stop = new AbortController();
  const taken: SluiceEvent[] = [];
  for await (const event of events.follow(after, stop.signal)) {
    taken.push(event);
    if (taken.length === count) stop.abort();
  }
  return taken;
}

describe('the event log', () => {
  it('stamps events with time and sequence and gives them back as published', async () => {
    expect(await publish('one')).toBe(1);
    expect(await events.publish({ type: 'change.failed', level: 'error', message: 'two', run: 'run-1', data: { a: 1 } })).toBe(2);
    expect(await events.read(1, 10)).toEqual([
      {
        sequence: 2,
        time: '2027-01-15T08:00:00.000Z',
        type: 'change.failed',
        level: 'error',
        message: 'two',
        run: 'run-1',
        data: { a: 1 },
      },
    ]);
    expect(await events.last()).toBe(2);
  });

  it('never skips or repeats an event for any follower while many publish at once', async () => {
    const total = 1_200;
    for (let index = 0; index < 100; index += 1) await publish(`before ${index}`);
    const followers = [take(total), take(total), take(total - 600, 600)];
    for (let round = 0; round < 11; round += 1) await Promise.all(Array.from({ length: 100 }, (_, index) => publish(`${round}/${index}`)));
    followers.push(take(total));
    const [first, second, late, after] = await Promise.all(followers);
    const all = Array.from({ length: total }, (_, index) => index + 1);
    expect(first?.map(({ sequence }) => sequence)).toEqual(all);
    expect(second?.map(({ sequence }) => sequence)).toEqual(all);
    expect(after?.map(({ sequence }) => sequence)).toEqual(all);
    expect(late?.map(({ sequence }) => sequence)).toEqual(all.slice(600));
  });

  it('wakes a follower that has read everything', async () => {
    const next = take(1);
    await publish('wake up');
    expect((await next).map(({ message }) => message)).toEqual(['wake up']);
  });

  it('ends a waiting follower when its signal is aborted', async () => {
    const stop = new AbortController();
    const iterator = events.follow(0, stop.signal)[Symbol.asyncIterator]();
    const waiting = iterator.next();
    stop.abort();
    expect(await waiting).toMatchObject({ done: true });
  });
});
