import { describe, expect, it } from 'vitest';
import type { HookAnswer } from '../../notifications/message.ts';
import type { RolloutSettings } from '../service-state.ts';
import { rolloutOf } from '../rollout-view.ts';
import { blueGreen, canary, stage, world } from '../testdata/staged-world.ts';
import type { HookSettings } from './hook.ts';
import { dueHooks } from './stage-hooks.ts';

const hook = (name: string, extra: Partial<HookSettings> = {}): HookSettings => ({
  name,
  url: 'http://hooks.example/',
  timeoutMs: 1_000,
  retries: 0,
  onFailure: 'rollback',
  when: 'after',
  ...extra,
});
const passed: HookAnswer = { outcome: 'passed' };
const failed: HookAnswer = { outcome: 'failed', reason: 'it answered 422: p99 too high' };

/** A world in which hooks are answered by hand. */
function asked(settings: Partial<RolloutSettings>) {
  const place = world(settings);
  const due = (): readonly string[] => dueHooks(place.state()).map(({ key }) => key);
  const answer = (key: string, given: HookAnswer): void => {
    place.trouble.extra = { hooks: new Map([[key, given]]) };
    place.settle();
    place.trouble.extra = {};
    place.settle();
  };
  const run = (key: string) => place.state().candidate?.course?.hooks?.[key];
  return { ...place, due, answer, run };
}

const stepped = (extra: Partial<HookSettings> = {}) => ({ ...canary, stages: [{ ...stage(5), hooks: [hook('load', extra)] }, stage(50)] });

describe('a hook of a step', () => {
  it('is asked once the step has lasted, and the step is left when it says yes', () => {
    const { deploy, pass, due, answer, weights, run, state } = asked(stepped());
    deploy('r-2');
    pass(9_999);
    expect([due(), run('stage-1/after/load')]).toEqual([[], undefined]);
    pass(1);
    expect([due(), weights()]).toEqual([['stage-1/after/load'], { 'r-2': 5, 'r-1': 95 }]);
    expect(rolloutOf(state(), 10_000)?.waits).toEqual({ for: 'hook', message: 'load, asked since 00:00:10' });
    pass(1_000_000);
    expect([due(), state().candidate?.paused]).toEqual([['stage-1/after/load'], undefined]);
    answer('stage-1/after/load', passed);
    expect([due(), weights(), run('stage-1/after/load')?.status]).toEqual([[], { 'r-2': 50, 'r-1': 50 }, 'passed']);
    expect(rolloutOf(state(), 0)?.hooks).toMatchObject([{ hook: 'stage-1/after/load', status: 'passed' }]);
  });

  it('that says no takes the candidate back with its reason', () => {
    const { deploy, pass, answer, weights, state } = asked(stepped());
    deploy('r-2');
    pass(10_000);
    answer('stage-1/after/load', failed);
    expect([weights(), state().failure]).toEqual([
      { 'r-1': 100 },
      expect.objectContaining({ reason: 'the hook load failed: it answered 422: p99 too high', withdrawn: true }),
    ]);
  });

  it('that is to be passed over is, and shows that it failed', () => {
    const { deploy, pass, answer, weights, run } = asked(stepped({ onFailure: 'continue' }));
    deploy('r-2');
    pass(10_000);
    answer('stage-1/after/load', failed);
    expect([weights(), run('stage-1/after/load')]).toMatchObject([
      { 'r-2': 50 },
      { status: 'failed', reason: failed.outcome === 'failed' && failed.reason },
    ]);
  });

  it('holds the rollout where it says so: resume asks it again, promote goes on without it', () => {
    const { deploy, pass, answer, operate, weights, due, run, state } = asked(stepped({ onFailure: 'hold' }));
    deploy('r-2');
    pass(10_000);
    answer('stage-1/after/load', failed);
    pass(1_000_000);
    expect([weights(), due(), state().candidate?.paused?.reason]).toEqual([
      { 'r-2': 5, 'r-1': 95 },
      [],
      'the hook load failed: it answered 422: p99 too high',
    ]);
    operate({ type: 'resume' });
    expect([due(), run('stage-1/after/load')]).toMatchObject([['stage-1/after/load'], { status: 'due', round: 2 }]);
    answer('stage-1/after/load', failed);
    expect(state().candidate?.paused?.reason).toContain('the hook load failed');
    operate({ type: 'promote', full: false });
    expect([weights(), run('stage-1/after/load')?.status]).toEqual([{ 'r-2': 50, 'r-1': 50 }, 'overruled']);
  });

  it('before its share keeps the share from the candidate, however long it takes, and its capacity ready', () => {
    const { deploy, pass, answer, weights, live, due, state } = asked(stepped({ when: 'before' }));
    deploy('r-2');
    expect([due(), weights(), live('r-2')]).toEqual([['stage-1/before/load'], { 'r-2': 0, 'r-1': 100 }, 1]);
    pass(1_000_000);
    answer('stage-1/before/load', passed);
    expect([weights(), state().failure]).toEqual([{ 'r-2': 5, 'r-1': 95 }, undefined]);
    pass(9_999);
    expect(weights()).toEqual({ 'r-2': 5, 'r-1': 95 });
  });

  it('comes before the question whether to go on', () => {
    const stages = [{ ...stage(5, 60_000, true), hooks: [hook('load')] }, stage(50)];
    const { deploy, answer, due, state } = asked({ ...canary, stages });
    deploy('r-2');
    expect([due(), state().candidate?.paused]).toEqual([['stage-1/after/load'], undefined]);
    answer('stage-1/after/load', passed);
    expect(state().candidate?.paused?.reason).toBe('waits for approval');
  });

  it('is not asked twice when the service was suspended in between, and asked anew for the next release', () => {
    const { deploy, pass, answer, replace, due, run } = asked(stepped());
    deploy('r-2');
    pass(10_000);
    answer('stage-1/after/load', passed);
    replace((state) => ({ ...state, mode: 'suspended' }));
    expect(run('stage-1/after/load')).toMatchObject({ status: 'passed', round: 1 });
    replace((state) => ({ ...state, mode: 'running' }));
    deploy('r-3');
    pass(10_000);
    expect([due(), run('stage-1/after/load')?.round]).toEqual([['stage-1/after/load'], 1]);
  });
});

describe('hooks of the rollout itself', () => {
  const ends = [hook('may-i', { when: 'before' }), hook('smoke-tests')];

  it.each([
    ['canary', { ...canary, stages: [stage(100)] }],
    ['blue/green', blueGreen],
  ])('are asked before the first request and before the end of a %s', (_, settings) => {
    const { deploy, pass, answer, weights, due, state } = asked({ ...settings, hooks: ends });
    deploy('r-2');
    expect([due(), weights()]).toEqual([['start/may-i'], { 'r-2': 0, 'r-1': 100 }]);
    answer('start/may-i', passed);
    pass(10_000);
    expect([due(), weights(), state().stable]).toEqual([['end/smoke-tests'], { 'r-2': 100, 'r-1': 0 }, 1]);
    answer('end/smoke-tests', passed);
    expect([due(), state().stable, state().candidate]).toEqual([[], 2, undefined]);
  });

  it('that say no at the end give everything back to stable, which is still whole', () => {
    const { deploy, answer, weights, live, state } = asked({ ...blueGreen, hooks: ends });
    deploy('r-2');
    answer('start/may-i', passed);
    answer('end/smoke-tests', failed);
    expect([weights(), live('r-1'), state().stable]).toEqual([{ 'r-1': 100 }, 4, 1]);
  });

  it('are asked at the end although somebody sends everything to the candidate at once, who can then overrule them', () => {
    const { deploy, answer, operate, due, run, state } = asked({ ...canary, hooks: ends });
    deploy('r-2');
    answer('start/may-i', passed);
    operate({ type: 'promote', full: true });
    expect([due(), state().stable]).toEqual([['end/smoke-tests'], 1]);
    operate({ type: 'promote', full: false });
    expect([state().stable, run('end/smoke-tests')]).toEqual([2, undefined]);
  });

  it('are asked of a rollout, and neither of a restart nor of the return to an earlier release', () => {
    const { deploy, answer, operate, due, state } = asked({ strategy: 'blue_green', fullSet: true, hooks: ends });
    expect(state().stable).toBe(1);
    deploy('r-2');
    answer('start/may-i', passed);
    answer('end/smoke-tests', passed);
    operate({ type: 'rollback' });
    expect([due(), state().revisions.find(({ generation }) => generation === state().stable)?.release]).toEqual([[], 'r-1']);
  });
});
