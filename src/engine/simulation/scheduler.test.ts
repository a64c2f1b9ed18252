import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../effects/random.ts';
import { createScheduler } from './scheduler.ts';
import { createTrace } from './trace.ts';

function world(seed: number) {
  const trace = createTrace(true);
  return { trace, ...createScheduler(seededRandom(seed), trace) };
}

/** Three parties of three steps each, in the order in which the seed lets them go. */
async function orderOf(seed: number): Promise<readonly string[]> {
  const { trace, turn, run } = world(seed);
  const party = async (name: string): Promise<void> => {
    for (let step = 1; step <= 3; step += 1) await turn(`${name}${step}`);
  };
  await run(async () => void (await Promise.all(['a', 'b', 'c'].map(party))));
  return trace.lines;
}

describe('the scheduler', () => {
  it('gives the same order for the same seed, and others for others', async () => {
    const orders = await Promise.all([1, 1, 2, 3, 4].map(orderOf));
    expect(orders[0]).toHaveLength(9);
    expect(orders[1]).toEqual(orders[0]);
    expect(new Set(orders.map((order) => order.join())).size).toBe(4);
  });

  it('lets time stand still while anybody can act, then jumps to the next timer', async () => {
    const { clock, turn, run } = world(1);
    const start = clock.now();
    const seen: (readonly [string, number])[] = [];
    const note = (what: string) => seen.push([what, clock.now() - start]);
    await run(async () => {
      const late = clock.sleep(60_000).then(() => note('late'));
      const early = clock.sleep(10_000).then(() => note('early'));
      for (let step = 0; step < 5; step += 1) await turn('work');
      note('worked');
      await Promise.all([late, early]);
    });
    expect(seen).toEqual([
      ['worked', 0],
      ['early', 10_000],
      ['late', 60_000],
    ]);
  });

  it('leaves no timer behind when a sleep is cut short', async () => {
    const { clock, run } = world(1);
    const start = clock.now();
    await run(async () => {
      const abort = new AbortController();
      const sleep = clock.sleep(1_000_000, abort.signal);
      abort.abort(new Error('enough'));
      await expect(sleep).rejects.toThrow('enough');
      await expect(clock.sleep(1, abort.signal)).rejects.toThrow('enough');
      await clock.sleep(5);
    });
    expect(clock.now() - start).toBe(5);
  });

  it('reports a world in which nothing can ever happen again, and one that never ends', async () => {
    await expect(world(1).run(() => new Promise(() => {}))).rejects.toMatchObject({ invariant: 'comes_to_an_end' });
    const { clock, run } = world(1);
    const forever = async (): Promise<never> => {
      for (;;) await clock.sleep(1);
    };
    await expect(run(forever)).rejects.toMatchObject({ invariant: 'comes_to_an_end' });
  });

  it('stops for good when it is told to', async () => {
    const { stop, turn, run } = world(1);
    const swallowing = async (): Promise<void> => {
      await turn('first');
      stop(new Error('broken'));
      await turn('second').catch(() => undefined);
    };
    await expect(run(swallowing)).rejects.toThrow('broken');
  });
});
