import { expect, it } from 'vitest';
import { rolloutInWords } from './rollout-in-words.ts';
import { desiredRelease } from './simulation/world.ts';

const words = (changed: object, replicas = 4) => {
  const { rollout } = desiredRelease('r-1', 'r-1').settings;
  return rolloutInWords({ settings: { rollout: { ...rollout, ...changed } }, replicas });
};

it('says the way a new release takes, what it costs and what it is taken back for', () => {
  const stages = [
    { weight: 5, forMs: 600_000, approval: false },
    { weight: 50, forMs: 0, approval: true },
  ];
  expect(words({ strategy: 'canary', stages })).toBe(
    'canary: 5 % for 600 s, then 50 % until promoted, then 100 %; 1 to 4 instances more meanwhile; taken back by itself at a failing start',
  );
  expect(words({ strategy: 'blue_green', fullSet: true, keepPreviousMs: 60_000, smoke: { path: '/selftest', timeoutMs: 1 } })).toBe(
    'blue_green: 100 %; 4 instances more meanwhile, and 4 kept ready for 60 s after it; taken back by itself at a smoke check of /selftest or a failing start',
  );
  const copies = { weight: 0, mirror: { percent: 100, methods: ['GET'] }, forMs: 60_000, approval: false };
  expect(words({ strategy: 'canary', stages: [copies, ...stages] })).toMatch(
    /^canary: copies of 100 % for 60 s, then 5 % for 600 s, .*; 4 instances more meanwhile;/,
  );
  expect(words({ strategy: 'canary', stages, baseline: true, analysis: {} })).toMatch(
    /; 2 to 4 instances more meanwhile, fresh ones of the stable release to compare it with among them;/,
  );
  expect(words({ strategy: 'rolling' })).toBeUndefined();
});
