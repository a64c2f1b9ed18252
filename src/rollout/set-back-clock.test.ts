import { describe, expect, it } from 'vitest';
import { withoutFuture } from './set-back-clock.ts';
import { blueGreen, canary, world } from './testdata/staged-world.ts';

const hour = 3_600_000;

describe('a clock that was set back', () => {
  it('changes nothing while it goes on, nor for as much as two clocks may differ by', () => {
    const { deploy, state } = world(canary);
    deploy('r-2');
    for (const now of [hour, 30_000, -4_000]) expect(withoutFuture(state(), now)).toBe(state());
  });

  it('has a stage, its deadline and the pauses of instances begin anew', () => {
    const { deploy, state } = world(canary);
    deploy('r-2');
    const [one, two, three] = state().instances;
    if (!one || !two || !three) throw new Error('there are instances');
    const backingOff = { ...one, phase: 'backing_off' as const, retryAt: 400, exits: [100] };
    const draining = { ...two, phase: 'draining' as const, drainUntil: 2_000 };
    const after = withoutFuture({ ...state(), instances: [backingOff, draining, three] }, -hour);
    expect(after.candidate).toMatchObject({ progressAt: -hour, course: { inForceSince: -hour } });
    expect(after.instances).toMatchObject([
      { since: -hour, retryAt: -hour, exits: [-hour] },
      { since: -hour, drainUntil: -hour + state().settings.drainMs },
      { since: -hour, phase: 'ready' },
    ]);
    expect(withoutFuture(after, -hour)).toBe(after);
  });

  it('keeps a set no longer than promised', () => {
    const { deploy, state } = world(blueGreen);
    deploy('r-2');
    expect(state().previous?.until).toBeGreaterThan(0);
    const ended = {
      ...state(),
      rollouts: [{ generation: 2, release: 'r-2', version: '1.0.0', strategy: 'blue_green', startedAt: 0, endedAt: 0 }],
    };
    expect(withoutFuture(ended, -hour).previous?.until).toBe(-hour + 60_000);
    expect(withoutFuture(ended, 1_000).previous).toEqual(state().previous);
  });
});
