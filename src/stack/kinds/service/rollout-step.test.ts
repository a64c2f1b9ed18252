import { describe, expect, it } from 'vitest';
import { rollout } from './rollout.ts';

const issues = (steps: readonly object[], rest: object = {}) => {
  const { success, error } = rollout.safeParse({ strategy: 'canary', steps, ...rest });
  return success ? [] : error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('the steps of a canary', () => {
  it('may copy requests before they give any, by method', () => {
    const copies = { mirror: 100, methods: ['GET', 'POST'], for: '1m' };
    expect(issues([copies, { mirror: 50, approval: true }, { weight: 5 }, { weight: 25 }])).toEqual([]);
    expect(issues([{ weight: 0, approval: true }, { mirror: 10 }])).toEqual([]);
  });

  it.each([
    ['neither', [{ for: '1m' }], 'steps.0.weight: either weight or mirror'],
    ['both', [{ weight: 5, mirror: 5 }], 'steps.0.weight: either weight or mirror'],
    ['methods of no copies', [{ weight: 5, methods: ['GET'] }], 'steps.0.methods: left out: there is no mirror they would be of'],
    ['copies after a share', [{ weight: 5 }, { mirror: 5 }], 'steps.1.mirror: a step before those with a weight: by then users meet it'],
    ['a share that falls', [{ weight: 50 }, { weight: 5 }], 'steps.1.weight: not less than the weight of the step before it'],
  ])('are refused with %s', (_, steps, message) => {
    expect(issues(steps)).toEqual([message]);
  });

  it('are compared with a baseline only where anything is compared', () => {
    expect(issues([{ weight: 5 }], { baseline: true })).toEqual(['baseline: left out: there is no analysis that would compare with it']);
    expect(issues([{ weight: 5 }], { baseline: true, analysis: { error_rate: {} } })).toEqual([]);
    expect(issues([{ mirror: 5 }], { baseline: true, analysis: { error_rate: {} } })).toEqual([
      'baseline: left out: a candidate that copies have warmed is compared with stable as it is',
    ]);
    expect(issues([], { strategy: 'rolling', steps: undefined, baseline: true })).toContain(
      'baseline: left out: it belongs to the strategy canary, not rolling',
    );
  });
});
