import { describe, expect, it } from 'vitest';
import { transitionsOf } from './messages/transitions.ts';
import { leapBetween, withoutLeap } from './set-forward-clock.ts';
import { blueGreen, canary, world } from './testdata/staged-world.ts';

const hour = 3_600_000;

describe('a clock that is set forward', () => {
  it('is told from time that has passed, and from a small correction', () => {
    const before = { now: 5_000, monotonic: 100 };
    expect(leapBetween(before, { now: 5_000 + hour + 30, monotonic: 130 })).toBe(hour);
    expect(leapBetween(before, { now: 5_000 + hour, monotonic: 100 + hour })).toBe(0);
    expect(leapBetween(before, { now: 5_900, monotonic: 130 })).toBe(0);
    expect(leapBetween(before, { now: 0, monotonic: 130 })).toBe(0);
    expect(leapBetween(undefined, before)).toBe(0);
  });

  it('takes what was noted before along, leaves what was noted since, and is no stage that anybody has to be told of', () => {
    const { deploy, pass, state } = world(canary);
    deploy('r-2');
    pass(2_000);
    const before = state();
    const after = withoutLeap(before, 2_000, hour);
    expect(after.candidate?.course?.inForceSince).toBe((before.candidate?.course?.inForceSince ?? 0) + hour);
    expect(after.instances.map(({ since }) => since)).toEqual(before.instances.map(({ since }) => since + hour));
    expect(transitionsOf(before, after)).toEqual([]);
    expect(withoutLeap(before, -1, hour)).toEqual(before);
    expect(withoutLeap(before, 2_000, 0)).toBe(before);
  });

  it('takes deadlines along: of a drain, of a pause before another try, of a set that is kept', () => {
    const { deploy, state } = world(blueGreen);
    deploy('r-2');
    const [first, ...others] = state().instances;
    const instances = first ? [{ ...first, drainUntil: 1_500, retryAt: 900, exits: [10] }, ...others] : [];
    const before = { ...state(), instances };
    const after = withoutLeap(before, 1_000, hour);
    expect(after.instances[0]).toMatchObject({ drainUntil: 1_500 + hour, retryAt: 900 + hour, exits: [10 + hour] });
    expect(after.previous?.until).toBe((before.previous?.until ?? 0) + hour);
  });
});
