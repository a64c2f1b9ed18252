import { expect, test } from 'vitest';
import { ordinaryAnswers } from './answers.ts';
import { rollOutAmongReturning } from './returning-users.ts';

const among = { users: 500, requestsPerLook: 200, looks: 60, steps: [0.05, 0.25, 0.5] };
const rollouts = 25;
const failsLate = (look: number) => (look < 30 ? ordinaryAnswers : { ...ordinaryAnswers, errorRate: 0.3 });

test('users who come again and again take no candidate back that is no worse, and do not make the split look broken', () => {
  const ends = Array.from({ length: rollouts }, (_, seed) => rollOutAmongReturning({ ...among, seed }).verdict.verdict);
  expect(ends.filter((verdict) => verdict === 'error')).toEqual([]);
  expect(ends.filter((verdict) => verdict === 'fail').length / rollouts).toBeLessThanOrEqual(0.05);
});

test('a candidate that fails only after all its users have been seen is found by users who come again', () => {
  for (let seed = 0; seed < 5; seed += 1) {
    const { verdict, look } = rollOutAmongReturning({ ...among, steps: [0.25], seed, candidate: failsLate });
    expect([verdict.verdict, verdict.because]).toEqual(['fail', 'errors got worse than is tolerated']);
    expect(look).toBeLessThan(35);
    expect(verdict.of).toBe('users');
  }
});
