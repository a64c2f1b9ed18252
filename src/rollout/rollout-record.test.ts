import { describe, expect, it } from 'vitest';
import { failedBefore, newService, withDesired } from './desired-state.ts';
import { operated } from './operate.ts';
import { completeRollout, failRollout } from './rollout-outcome.ts';
import { recorded } from './rollout-record.ts';
import { rolloutOf } from './rollout-view.ts';
import type { ServiceState } from './service-state.ts';
import { desiredRelease } from './simulation/desired-release.ts';

const identity = { uid: 'a1', token: { sealed: '', digest: '' } };
const deploy = (state: ServiceState | undefined, release: string, now: number): ServiceState => {
  const desired = { ...desiredRelease(release, release), operation: `${release}-${now}` };
  return recorded(state, state ? withDesired(state, desired, now) : newService(desired, identity, now), now, { by: 'ada', why: 'why not' });
};
const complete = (state: ServiceState, now: number): ServiceState => recorded(state, completeRollout(state).state, now);
const fail = (state: ServiceState, now: number): ServiceState => recorded(state, failRollout(state, 'it broke').state, now);

describe('the record of rollouts', () => {
  it('says who began each, what it replaced and how it ended', () => {
    let state = complete(deploy(undefined, 'r-1', 0), 5);
    state = deploy(deploy(state, 'r-2', 10), 'r-3', 20);
    state = fail(state, 30);
    state = recorded(state, operated(state, { type: 'retry' }, 'bob', 40), 40, { by: 'bob' });
    state = recorded(state, operated(state, { type: 'abort' }, 'eve', 50), 50, { by: 'eve' });
    expect(
      state.rollouts?.map(({ release, from, by, outcome, endedAt, endedBy, reason }) => [
        release,
        from,
        by,
        outcome,
        endedAt,
        endedBy,
        reason,
      ]),
    ).toEqual([
      ['r-3', 'r-1', 'bob', 'failed', 50, 'eve', 'aborted by eve'],
      ['r-3', 'r-1', 'ada', 'failed', 30, undefined, 'it broke'],
      ['r-2', 'r-1', 'ada', 'superseded', 20, 'ada', undefined],
      ['r-1', undefined, 'ada', 'completed', 5, undefined, undefined],
    ]);
  });

  it('is bounded', () => {
    let state = complete(deploy(undefined, 'r-1', 0), 1);
    for (let turn = 1; turn < 100; turn += 1) state = fail(deploy(state, `r-${turn + 1}`, turn), turn);
    expect(state.rollouts).toHaveLength(50);
    expect(state.rollouts?.[0]).toMatchObject({ release: 'r-100', outcome: 'failed' });
  });

  it('tells of the one under way who began it and why', () => {
    const state = deploy(complete(deploy(undefined, 'r-1', 0), 5), 'r-2', 10);
    expect(rolloutOf(state, 10)).toMatchObject({ release: 'r-2', from: 'r-1', by: 'ada', why: 'why not', waits: { for: 'instances' } });
  });
});

describe('a release that failed', () => {
  it('is not tried again until something changes', () => {
    const state = fail(deploy(complete(deploy(undefined, 'r-1', 0), 5), 'r-2', 10), 20);
    const again = { ...desiredRelease('r-2', 'r-2'), operation: 'another' };
    expect(failedBefore(state, again)).toBe('it broke');
    expect(failedBefore(state, { ...again, operation: 'r-2-10' })).toBeUndefined();
    expect(failedBefore(state, { ...again, revision: { ...again.revision, env: { LEVEL: 'debug' } } })).toBeUndefined();
    const { rollout } = again.settings;
    expect(failedBefore(state, { ...again, settings: { ...again.settings, rollout: { ...rollout, maxSurge: 3 } } })).toBeUndefined();
  });

  it('is tried again while nothing else is in use', () => {
    const state = fail(deploy(undefined, 'r-1', 0), 5);
    expect(failedBefore(state, { ...desiredRelease('r-1', 'r-1'), operation: 'another' })).toBeUndefined();
  });
});
