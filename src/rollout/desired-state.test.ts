import { expect, it } from 'vitest';
import { removed, withDesired } from './desired-state.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import { canary, world } from './testdata/staged-world.ts';

it('a rollout ends with the removal of its service: whoever wants the same before it is gone begins another one', () => {
  const { deploy, pass, state, replace, weights } = world(canary);
  deploy('r-2');
  pass(12_000);
  const under = state().candidate;
  replace(removed);
  expect([under?.course?.stage, state().candidate, state().mode]).toEqual([1, undefined, 'removed']);
  const { settings } = state();
  replace((stored) => withDesired(stored, { ...desiredRelease('r-2', 'again', { replicas: 4 }), settings }, 20_000));
  expect([state().candidate?.generation, weights()['r-2'] ?? 0]).toEqual([(under?.generation ?? 0) + 1, 5]);
});
