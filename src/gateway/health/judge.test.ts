import { describe, expect, test } from 'vitest';
import { createInstances, type Instance } from '../balancing/instance.ts';
import { judge, type Observation } from './judge.ts';

const fresh = (): Instance =>
  createInstances().admit({ environment: 'e', service: 's', id: 'a', host: '127.0.0.1', port: 1, release: 'r', state: 'active' });

/** Whether it is healthy after each observation. */
function healthAfter(...observations: Observation[]): boolean[] {
  const instance = fresh();
  return observations.map((observation) => {
    const before = instance.healthy;
    expect(judge(instance, observation)).toBe(before !== instance.healthy);
    return instance.healthy;
  });
}

describe('an instance', () => {
  test('is unhealthy after three failures in a row, of checks and requests alike', () => {
    expect(healthAfter('failed', 'reset', 'failed')).toEqual([true, true, false]);
  });

  test('is healthy as long as something succeeds in between', () => {
    expect(healthAfter('failed', 'failed', 'passed', 'failed', 'failed', 'answered', 'failed', 'failed')).not.toContain(false);
  });

  test('is unhealthy at once when nothing listens', () => {
    expect(healthAfter('unreachable')).toEqual([false]);
  });

  test('comes back by a check, not by a request that got through', () => {
    expect(healthAfter('unreachable', 'answered', 'answered', 'passed')).toEqual([false, false, false, true]);
  });
});
