import { describe, expect, it } from 'vitest';
import { seededRandom } from '../effects/random.ts';
import type { FlagRecord, Override } from '../flags/flag.ts';
import { addCounts, noCounts } from '../rollout/evidence/counts.ts';
import { drawCounts } from '../rollout/evidence/traffic-model.ts';
import { type FlagRollout, shareOf } from './flag-rollout.ts';
import { newFlagRollout } from './new-rollout.ts';
import { type FlagObservation, step, stopped } from './step.ts';

const second = 1_000;
const request = {
  variant: 'on',
  service: 'chat',
  steps: [10, 50],
  stepMs: 30 * second,
  noticeMs: 5 * second,
  attribute: 'user',
  alpha: 0.05,
  errorTolerance: 1,
  minUnits: 100,
};
const record = (override?: Override, rules: FlagRecord['definition']['rules'] = []): FlagRecord => ({
  id: 'flag-1',
  environment: 'production',
  name: 'cite',
  declared: {},
  definition: { variants: { on: true, off: false }, default: 'off', rules },
  override,
  createdAt: '',
  changedAt: '',
});
const begin = (): FlagRollout => newFlagRollout(record(), request, { id: '7f', by: 'ann' }, 0);
const own = (rollout: FlagRollout): Override => ({
  action: 'percent',
  variant: 'on',
  percent: shareOf(rollout),
  attribute: 'user',
  by: 'ann',
  at: '',
});
const steady = { errorRate: 0.01, slowRates: [], decisions: {} };

/** Plays a rollout second by second, `perSecond` outcomes each, until it ends or ten minutes have passed; `share` is what users really get. */
function play(
  variantErrors: number,
  {
    seed = 1,
    share = (percent) => percent,
    seen = {},
    perSecond = 40,
  }: {
    readonly seed?: number;
    readonly share?: (percent: number) => number;
    readonly seen?: Partial<FlagObservation>;
    readonly perSecond?: number;
  } = {},
) {
  const random = seededRandom(seed);
  let rollout = begin();
  let counts = noCounts;
  const changes: string[] = [];
  let now = 0;
  for (; now < 600 * second && rollout.end === undefined; now += second) {
    const chance = shareOf(rollout) / 100;
    if (rollout.phase === 'counting') {
      const drawn = drawCounts(random, perSecond, share(shareOf(rollout)) / 100, steady, { ...steady, errorRate: variantErrors });
      const asDeclared = (strata: typeof drawn.units) => strata.map((stratum) => ({ ...stratum, chance }));
      counts = addCounts(counts, { ...drawn, units: asDeclared(drawn.units), errors: asDeclared(drawn.errors) });
    }
    const counted = rollout.phase === 'counting' ? { epoch: 'a', counts, isComplete: true } : undefined;
    const next = step(rollout, { override: own(rollout), exists: true, isServiceBusy: false, isTold: true, counted, ...seen }, now);
    if (next.change) changes.push(next.change.type === 'share' ? String(next.change.percent) : next.change.type);
    rollout = next.rollout;
  }
  return { rollout, changes, seconds: now / second };
}

describe('a rollout of a flag', () => {
  it('goes to everybody step by step when the variant does no harm', () => {
    const { rollout, changes, seconds } = play(0.01);
    expect([changes, rollout.end?.outcome]).toEqual([['50', 'everybody'], 'completed']);
    expect(seconds).toBeGreaterThanOrEqual(70);
  });

  it('is taken back when users with the variant meet more errors', () => {
    const { rollout, changes } = play(0.1);
    expect([changes.at(-1), rollout.end?.outcome]).toEqual(['back', 'failed']);
    expect(rollout.end?.because).toMatch(/errors got worse than is tolerated: errors .*x of the others .*variant users/);
  });

  it('is hardly ever taken back without a difference, however often it looks', () => {
    const failed = Array.from({ length: 12 }, (_, seed) => play(0.01, { seed, perSecond: 10 })).filter(
      ({ rollout }) => rollout.end?.outcome === 'failed',
    );
    expect(failed.length).toBeLessThanOrEqual(1);
  });

  it('waits for outcomes for as long as there are none', () => {
    const { rollout, changes } = play(0.01, { perSecond: 0 });
    expect([changes, rollout.end, rollout.step]).toEqual([[], undefined, 0]);
  });

  it('is held while answers do not name the variant as often as it is drawn', () => {
    const { rollout, changes } = play(0.01, { share: (percent) => percent / 3 });
    expect([changes, rollout.evidence?.verdict.verdict]).toEqual([[], 'error']);
  });

  it('is held while some of what happened could not be counted, however long the step has lasted', () => {
    const counts = { ...noCounts, units: [{ chance: 0.1, candidate: 100, stable: 900 }] };
    const look = (isComplete: boolean): FlagRollout =>
      step(
        { ...begin(), phase: 'counting' },
        { override: own(begin()), exists: true, isServiceBusy: false, counted: { epoch: 'a', counts, isComplete } },
        600 * second,
      ).rollout;
    expect([look(false).phase, look(false).evidence?.verdict.verdict, look(true).phase]).toEqual(['counting', 'error', 'closing']);
  });

  it('does not count what happens while a release of the service is judged', () => {
    const { rollout } = play(0.5, { seen: { isServiceBusy: true } });
    expect([rollout.phase, rollout.evidence, rollout.end]).toEqual(['noticing', undefined, undefined]);
  });

  it.each([
    ['kills it', { override: { action: 'kill', by: 'bob', at: '' } }, 'somebody changed'],
    ['clears it', { override: undefined }, 'somebody changed'],
    ['takes it away', { exists: false }, 'gone'],
  ] as const)('ends, and touches nothing, when somebody %s', (_, seen, because) => {
    const { rollout, change } = step(begin(), { override: own(begin()), exists: true, isServiceBusy: false, ...seen }, second);
    expect([rollout.end?.outcome, change]).toEqual(['stopped', undefined]);
    expect(rollout.end?.because).toContain(because);
    expect(stopped(rollout, 'ann', second)).toEqual({ rollout });
  });

  it('changes the share only once the gateway counts the one before no longer', () => {
    const { rollout, changes } = play(0.01, { seen: { isTold: false } });
    expect([rollout.phase, rollout.step, changes]).toEqual(['closing', 0, []]);
  });

  it('keeps what was counted when the gateway begins anew', () => {
    const counts = { ...noCounts, units: [{ chance: 0.1, candidate: 5, stable: 45 }] };
    const seen = (epoch: string): FlagObservation => ({
      override: own(begin()),
      exists: true,
      isServiceBusy: false,
      counted: { epoch, counts, isComplete: true },
    });
    const one = step({ ...begin(), phase: 'counting' }, seen('a'), second).rollout;
    expect(step(step(one, seen('a'), second).rollout, seen('b'), second).rollout.evidence?.verdict.units).toBe(10);
  });
});

describe('what cannot be compared', () => {
  it.each([
    ['a variant that rules serve already', record(undefined, [{ when: { plan: 'pro' }, serve: 'on' }]), {}, /its rules serve on/],
    ['a flag that was killed', record({ action: 'kill', by: 'bob', at: '' }), {}, /it was killed/],
    ['steps that shrink', record(), { steps: [50, 10] }, /have to grow/],
    ['an unknown variant', record(), { variant: 'maybe' }, /no variant 'maybe'/],
  ])('is refused: %s', (_, flag, change, message) => {
    expect(() => newFlagRollout(flag, { ...request, ...change }, { id: '7f', by: 'ann' }, 0)).toThrow(message);
  });
});
