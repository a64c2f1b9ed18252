import { describe, expect, it } from 'vitest';
import { playCampaign } from './parallel.ts';

/** A sample of what `npm run simulate` plays. */
const seeds = 2_500;

describe(`${seeds} random histories`, () => {
  it('keep every promise, with crashes, faults, competitors and outside changes among them', { timeout: 240_000 }, async () => {
    const { broken, histories, tally } = await playCampaign({ first: 1, seeds });
    expect(broken.map(({ seed, message }) => `npm run simulate -- --seed ${seed}   # ${message}`)).toEqual([]);
    expect(histories).toBe(seeds);
    for (const [what, count] of Object.entries(tally)) expect([what, count > 100]).toEqual([what, true]);
    expect(tally.crashes).toBeGreaterThan(seeds / 2);
  });
});
