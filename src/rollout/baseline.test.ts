import { describe, expect, it } from 'vitest';
import { baselineFor, shareBeside } from './baseline.ts';
import { countsOf } from './counted-evidence.ts';
import { rolloutOf } from './rollout-view.ts';
import { extraInstances } from './rollout-cost.ts';
import { comparedRelease } from './service-route.ts';
import type { AnalysisSettings, RolloutSettings } from './service-state.ts';
import { servingOf, statusOf } from './service-status.ts';
import { canary, stage, world } from './testdata/staged-world.ts';

const analysis: AnalysisSettings = {
  rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 1 },
  latencyTolerance: 1,
  noData: 'continue',
};
const beside: Partial<RolloutSettings> = { ...canary, analysis, baseline: true };
const name = 'r-1@baseline';

const counted = (release: string, probability: number, errors: number) => {
  return { release, probability, units: 100, errors, exceedances: [], categories: {} };
};

describe('a candidate beside a baseline', () => {
  it('gets its share when as many fresh instances of stable have theirs, taken from stable', () => {
    const { deploy, pass, weights, live, route, state, told } = world(beside);
    deploy('r-2');
    expect([weights(), live('r-1'), live(name), live('r-2')]).toEqual([{ 'r-2': 5, [name]: 5, 'r-1': 90 }, 4, 1, 1]);
    expect(route()?.evidence).toMatchObject({ id: expect.stringMatching(/^a1-2-[0-9a-f]{12}-baseline$/), compared: ['r-2', name] });
    expect(route()?.backends.map(({ release }) => release)).toEqual(['r-2', name, 'r-1']);
    pass(10_000);
    expect([weights(), live('r-1'), live(name), live('r-2')]).toEqual([{ 'r-2': 50, [name]: 25, 'r-1': 25 }, 4, 1, 2]);
    const alone = told
      .filter((command) => command.type === 'publish')
      .map((command) => command.route.backends.map(({ weight }) => weight))
      .filter(([candidate = 0, fresh = 0, stable = 0]) => candidate > 0 && candidate < 100 && (fresh === 0 || stable === 0));
    expect(alone.length).toBeLessThanOrEqual(1);
    pass(10_000);
    expect([weights(), live(name), live('r-1'), state().stable, state().instances.length]).toEqual([{ 'r-2': 100 }, 0, 0, 2, 4]);
  });

  it('waits until they are ready, and is given up when they never are', () => {
    const { deploy, pass, trouble, weights, state } = world(beside);
    trouble.starts = false;
    deploy('r-2');
    pass(8_000);
    expect([weights(), state().failure?.reason, state().stable]).toEqual([{ 'r-1': 100 }, expect.stringContaining('no progress'), 1]);
  });

  it('is held, not blamed, when they keep failing', () => {
    const { deploy, replace, weights, state } = world(beside);
    deploy('r-2');
    replace((before) => ({
      ...before,
      instances: before.instances.map((instance) =>
        instance.baseline === undefined ? instance : { ...instance, phase: 'crash_looping', retryAt: 99_999, reason: 'ended' },
      ),
    }));
    expect(state().candidate?.paused?.reason).toMatch(/a fresh instance of stable, keeps failing: it ended$/);
    expect(weights()).toEqual({ 'r-2': 5, 'r-1': 95, [name]: 0 });
  });

  it.each(['abort', 'rollback'] as const)('that ends by %s leaves them to stable, which keeps the best and drains the rest', (type) => {
    const { deploy, operate, weights, live, state, told } = world(beside);
    deploy('r-2');
    const fresh = state().instances.find(({ baseline }) => baseline !== undefined)?.id;
    const before = told.length;
    operate({ type });
    expect([weights(), live('r-1'), state().instances.length]).toEqual([{ 'r-1': 100 }, 4, 4]);
    expect(state().instances.some(({ id }) => id === fresh)).toBe(false);
    const told2 = told.slice(before);
    const stopped = told2.findIndex((command) => command.type === 'stop' && command.instance === fresh);
    const drained = told2.findIndex(
      (command) =>
        command.type === 'publish' &&
        command.route.backends.some(({ instances }) => instances.some(({ id, state: at }) => id === fresh && at === 'draining')),
    );
    expect([drained >= 0, drained < stopped]).toEqual([true, true]);
  });

  it('that is superseded has others of its own, as young as it is', () => {
    const { deploy, live, state, weights } = world(beside);
    deploy('r-2');
    const old = state().instances.find(({ baseline }) => baseline !== undefined)?.id;
    deploy('r-3');
    expect([weights(), live('r-1'), live(name)]).toEqual([{ 'r-3': 5, [name]: 5, 'r-1': 90 }, 4, 1]);
    expect(state().instances.find(({ baseline }) => baseline === state().candidate?.generation)?.id).not.toBe(old);
  });

  it('keeps them while it is paused, and where there is nothing to compare has none', () => {
    const { deploy, operate, pass, live, replace, state } = world(beside);
    deploy('r-2');
    operate({ type: 'pause' });
    pass(100_000);
    expect(live(name)).toBe(1);
    replace((before) => ({
      ...before,
      candidate: { generation: 2, startedAt: 0, progressAt: 100_000, progress: 0, urgent: true },
    }));
    pass(1_000);
    expect([live(name), state().stable]).toEqual([0, 2]);
  });

  it('is seen in words and numbers, and they are no part of what stable needs', () => {
    const { deploy, state, route, sicken } = world(beside);
    deploy('r-2');
    expect(rolloutOf(state(), 0)?.baseline).toEqual({ instances: 1, ready: 1 });
    expect(statusOf(state(), undefined, 0).weights).toEqual([
      { release: 'r-2', percent: 5, ready: 1 },
      { release: 'r-1', percent: 5, ready: 1, baseline: true },
      { release: 'r-1', percent: 90, ready: 4 },
    ]);
    expect(statusOf(state(), undefined, 0).instances.filter(({ baseline }) => baseline === true)).toHaveLength(1);
    sicken('r-1', 1);
    expect(servingOf(state(), route())).toBeUndefined();
  });

  it('is compared with them alone', () => {
    const { deploy, state } = world(beside);
    deploy('r-2');
    const arms = { candidate: 'r-2', stable: comparedRelease(state(), 'r-1') };
    expect(countsOf([counted('r-2', 0.5, 3), counted(name, 0.5, 2), counted('r-1', 0.9, 50)], arms, analysis.rules).errors).toEqual([
      { chance: 0.5, candidate: 3, stable: 2 },
    ]);
  });
});

describe('the size of a baseline', () => {
  it('gives it the share of the candidate, at most half of the rest, and instances with as much to do', () => {
    expect([1, 5, 25, 30, 50, 80, 100].map(shareBeside)).toEqual([1, 5, 25, 30, 25, 10, 0]);
    expect(baselineFor(0, 4)).toBe(0);
    for (let weight = 1; weight < 100; weight += 1) {
      for (const candidates of [1, 2, 7, 40]) {
        const load = weight / candidates;
        expect(shareBeside(weight) / baselineFor(weight, candidates)).toBeLessThanOrEqual(load + 1e-6);
        expect(baselineFor(weight, candidates)).toBeLessThanOrEqual(candidates);
      }
    }
  });

  it('is part of what a rollout costs', () => {
    const { rollout } = world({ ...beside, stages: [stage(0), stage(25), stage(50)] }, 8).state().settings;
    expect(extraInstances({ settings: { rollout }, replicas: 8 })).toEqual([
      { candidate: 1, baseline: 0 },
      { candidate: 2, baseline: 2 },
      { candidate: 4, baseline: 2 },
      { candidate: 8, baseline: 0 },
    ]);
  });
});
