import { expect, it } from 'vitest';
import { costInWords, rolloutCost } from './rollout-cost.ts';
import { rolloutInWords } from './rollout-in-words.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import { stage } from './testdata/staged-world.ts';

const settings = (changed: object) => ({ ...desiredRelease('r-1', 'r-1').settings.rollout, ...changed });
const words = (changed: object): string => rolloutInWords(settings(changed));
const cost = (changed: object, replicas = 4) => rolloutCost(settings(changed), replicas);

const canary = { strategy: 'canary', stages: [stage(5, 600_000), stage(50, 0, true)] };
const blueGreen = { strategy: 'blue_green', fullSet: true, keepPreviousMs: 90_000, smoke: { path: '/selftest', timeoutMs: 1 } };

it('says the way a new release takes and what it is taken back for', () => {
  expect(words(canary)).toBe('5 % for 10m, then 50 % until promoted, then 100 %; taken back by itself at a failing start');
  expect(words(blueGreen)).toBe(
    'a whole second set, then 100 %; the set before is kept ready for 90s; taken back by itself at a smoke check of /selftest or a failing start',
  );
  expect(words({ strategy: 'rolling', maxSurge: 2, maxUnavailable: 1 })).toBe(
    'a few instances at a time, at most 2 more and 1 fewer than declared; taken back by itself at a failing start',
  );
  const hook = { name: 'load', url: 'http://x/', timeoutMs: 1, retries: 0, onFailure: 'rollback', when: 'after' };
  const asking = [{ ...hook, name: 'may-i', onFailure: 'hold' }, hook];
  expect(words({ strategy: 'blue_green', fullSet: true, hooks: asking })).toContain(
    'taken back by itself at a no of the hook load or a failing start',
  );
});

it('tells copies and fresh instances of stable, and counts them', () => {
  const copies = { weight: 0, mirror: { percent: 100, methods: ['GET'] }, forMs: 60_000, approval: false };
  const mirrored = { ...canary, stages: [copies, ...canary.stages] };
  expect(words(mirrored)).toMatch(/^copies of 100 % for 60s, then 5 % for 10m, /);
  expect(cost(mirrored).extra).toEqual({ least: 4, most: 4 });
  const fresh = { ...canary, baseline: true, analysis: {} };
  expect([words(fresh), cost(fresh).extra]).toMatchObject([expect.stringContaining('fresh instances of the stable release'), { least: 2 }]);
});

it('counts a canary by the instances of each step and the time it lasts', () => {
  const stages = [stage(5, 120_000), stage(25, 180_000), stage(50, 300_000)];
  expect(cost({ strategy: 'canary', stages })).toEqual({ extra: { least: 1, most: 4 }, forMs: 600_000, instanceMinutes: 2 + 3 + 10 });
  expect(costInWords(cost({ strategy: 'canary', stages }))).toBe('1 to 4 instances more for at least 10m, 15 instance-minutes');
});

it('counts a second set for as long as the one before is kept', () => {
  expect(costInWords(cost(blueGreen))).toBe('4 instances more for at least 90s, 6 instance-minutes');
  expect(costInWords(cost({ strategy: 'blue_green', fullSet: true }, 1))).toBe('1 instance more meanwhile');
});

it('counts what rolls by max_surge, and never more than there are', () => {
  expect(costInWords(cost({ strategy: 'rolling', maxSurge: 2 }))).toBe('2 instances more meanwhile');
  expect(cost({ strategy: 'rolling', maxSurge: 9 }, 3).extra).toEqual({ least: 3, most: 3 });
});

it('says which arms an experiment has, when it comes, and counts the instances of all of them', () => {
  const metric = { attribute: 'agent.outcome', value: 'resolved', goal: 'more' };
  const experiment = { metric, arms: ['warm', 'terse'], share: 50, forMs: 3_600_000, minUnits: 100, alpha: 0.05, onWinner: 'hold' };
  const arms = { ...canary, stages: [stage(5, 10_000), stage(50)], experiment };
  expect(words(arms)).toContain(
    '5 % for 10s, then an experiment on more agent.outcome=resolved with 16.67 % each for candidate, warm, terse for 1h until somebody decides, then 50 % for 10s, then 100 %',
  );
  expect(cost({ ...arms, stages: [stage(5, 10_000)] }, 12).extra).toEqual({ least: 1, most: 12 });
  expect(cost({ ...arms, experiment: { ...experiment, arms: ['a', 'b', 'c', 'd', 'e', 'f'] } }, 2).extra).toEqual({ least: 1, most: 7 });
});
