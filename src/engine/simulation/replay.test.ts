import { describe, expect, it } from 'vitest';
import { playHistories, together } from './campaign.ts';
import { playHistory } from './history.ts';
import { playCampaign } from './parallel.ts';

describe('a history', () => {
  it('goes the same way for the same seed, effect for effect', async () => {
    for (const seed of [3, 17, 1_000_003]) {
      const first = await playHistory(seed, { keepTrace: true });
      const second = await playHistory(seed, { keepTrace: true });
      expect(first.trace.length).toBeGreaterThan(10);
      expect(second).toEqual(first);
      expect((await playHistory(seed)).digest).toBe(first.digest);
    }
  });

  it('goes another way for another seed', async () => {
    const outcomes = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => playHistory(seed)));
    expect(new Set(outcomes.map(({ digest }) => digest)).size).toBe(6);
  });
});

describe('a campaign', () => {
  it('gives the same results on one thread and on several', async () => {
    const here = together([await playHistories(500, 250), await playHistories(750, 2)]);
    expect(here.histories).toBe(252);
    expect(await playCampaign({ first: 500, seeds: 252, threads: 2 })).toEqual(here);
    expect(await playCampaign({ first: 750, seeds: 2, threads: 1 })).toEqual(together([await playHistories(750, 2)]));
  });
});
