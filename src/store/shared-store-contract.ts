import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import type { SluiceError } from '../errors/sluice-error.ts';
import type { DurableStore } from './durable-store.ts';
import { takeLead } from './lead.ts';
import type { Store, Write } from './store.ts';

export interface SharedStore {
  /** What testdata/counting-writer.ts opens: a path or a URL. */
  readonly location: string;
  open(): Promise<DurableStore>;
}

/** What a store must do that several processes may have open at the same time. `make` gives a new and empty one. */
export function describeSharedStore(name: string, make: () => Promise<SharedStore>): void {
  describe(`${name}, opened more than once`, () => {
    it('has one lead: who loses it while it writes is refused from then on, whole, and what it was told is written is there', async () => {
      const shared = await make();
      const [one, two] = await Promise.all([shared.open(), shared.open()]);
      const lead = { clock: systemClock };
      let losses = 0;
      const first = await takeLead(one, { ...lead, holder: 'first', onLost: () => (losses += 1) });
      const put = (store: Store, key: string) => store.transact([{ operation: 'put', collection: 'things', key, value: key }]);
      let isTaken = false;
      const begun: { readonly key: string; readonly isLate: boolean; readonly outcome: Promise<unknown> }[] = [];
      const writing = (async () => {
        while (begun.length < 10 || begun.at(-1)?.isLate !== true) {
          const key = `first-${begun.length}`;
          const outcome = put(first, key).then(
            () => 'written',
            (error: SluiceError) => error.code,
          );
          begun.push({ key, isLate: isTaken, outcome });
          await outcome;
        }
      })();
      const second = await takeLead(two, { ...lead, holder: 'second' });
      isTaken = true;
      await writing;
      expect(await put(second, 'second')).toEqual([1]);
      for (const { key, isLate, outcome } of begun) {
        const isThere = (await two.get('things', key)) !== undefined;
        expect([key, await outcome]).toEqual([key, isThere ? 'written' : 'control_plane_superseded']);
        if (isLate) expect([key, isThere]).toEqual([key, false]);
      }
      expect(losses).toBe(1);
      await Promise.all([one.close(), two.close()]);
    });

    it('shows every reader each log in its order and whole, however many append to it', async () => {
      const shared = await make();
      const [one, two, three] = await Promise.all([shared.open(), shared.open(), shared.open()]);
      const total = 300;
      const seen: number[] = [];
      const reading = (async () => {
        while (seen.length < total) {
          // A store that answers without waiting would keep everybody else from running.
          await new Promise((resolve) => setImmediate(resolve));
          for (const { sequence } of await three.read('events', seen.length, 1_000)) seen.push(sequence);
        }
      })();
      await Promise.all([
        ...Array.from({ length: total / 2 }, (_, index) => append(one, index)),
        (async () => {
          for (let index = 0; index < total / 2; index += 1) await append(two, index);
        })(),
      ]);
      await reading;
      expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
      await Promise.all([one.close(), two.close(), three.close()]);
    });

    it('loses no update of two processes that count with expectations', async () => {
      const shared = await make();
      const store = await shared.open();
      const [first, second] = await Promise.all([countIn(shared.location, 60), countIn(shared.location, 60)]);
      expect([first, second]).toEqual([0, 0]);
      expect(await store.get('counters', 'shared')).toEqual({ key: 'shared', version: 120, value: 120 });
      expect((await store.read('counted', 0, 1_000)).map(({ sequence, value }) => [sequence, value])).toEqual(
        Array.from({ length: 120 }, (_, index) => [index + 1, index + 1]),
      );
      await store.close();
    });

    it('holds every acknowledged write after its writer was killed, and the next one writes at once', async () => {
      const shared = await make();
      const child = startWriter(new URL('testdata/endless-writer.ts', import.meta.url), shared.location, []);
      const ended = once(child, 'exit');
      const acknowledged: { lane: number; count: number; sequence: number }[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged.push(JSON.parse(line));
        if (acknowledged.length === 300) child.kill('SIGKILL');
      }
      await ended;
      const store = await shared.open();
      await store.transact([{ operation: 'append', log: 'acknowledged', value: 'the next one' }]);
      const entries = new Map((await store.read('acknowledged', 0, 1_000_000)).map(({ sequence, value }) => [sequence, value]));
      expect(acknowledged.length).toBeGreaterThanOrEqual(300);
      for (const { lane, count, sequence } of acknowledged) {
        expect(entries.get(sequence)).toEqual({ lane, count });
        expect((await store.get('lanes', String(lane)))?.value).toBeGreaterThanOrEqual(count);
      }
      await store.close();
    });

    it('fails of two that claim the same one, and never both or none', async () => {
      const shared = await make();
      const stores = await Promise.all([shared.open(), shared.open()]);
      for (let round = 0; round < 25; round += 1) {
        const claim: Write = { operation: 'put', collection: 'leases', key: `environment-${round}`, value: 'mine', ifVersion: 0 };
        const ends = await Promise.allSettled(
          stores.map((store) => store.transact([claim, { operation: 'append', log: 'won', value: round }])),
        );
        expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      }
      expect(await stores[0]?.last('won')).toBe(25);
      await Promise.all(stores.map((store) => store.close()));
    });
  });
}

function append(store: Store, index: number): Promise<unknown> {
  const other: Write = { operation: 'append', log: `other-${index % 5}`, value: index };
  return store.transact([{ operation: 'append', log: 'events', value: index }, ...(index % 3 === 0 ? [other] : [])]);
}

async function countIn(location: string, times: number): Promise<unknown> {
  const child = startWriter(new URL('testdata/counting-writer.ts', import.meta.url), location, [String(times)]);
  return (await once(child, 'exit'))[0];
}

/** A process of its own on the store. Its URL is given by the environment, as everywhere. */
function startWriter(file: URL, location: string, parameters: readonly string[]) {
  return spawn(process.execPath, [fileURLToPath(file), ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, STORE_LOCATION: location },
  });
}
