import { describe, expect, it } from 'vitest';
import { noCounts } from './evidence/counts.ts';
import type { AnalysisSettings } from './service-state.ts';
import type { GatewayEvidence } from './strategy.ts';
import { blueGreen, canary, stage, world } from './testdata/staged-world.ts';

describe('a canary', () => {
  it('gets its share stage by stage, each with capacity first, and then everything', () => {
    const { deploy, pass, weights, live, state } = world(canary);
    deploy('r-2');
    expect([weights(), live('r-1'), live('r-2')]).toEqual([{ 'r-2': 5, 'r-1': 95 }, 4, 1]);
    pass(9_999);
    expect(weights()).toEqual({ 'r-2': 5, 'r-1': 95 });
    pass(1);
    expect([weights(), live('r-1'), live('r-2')]).toEqual([{ 'r-2': 50, 'r-1': 50 }, 4, 2]);
    pass(10_000);
    expect([weights(), live('r-2'), state().stable, state().candidate]).toEqual([{ 'r-2': 100 }, 4, 2, undefined]);
  });

  it('never has a share that its ready instances cannot carry', () => {
    const { deploy, pass, trouble, told } = world(canary);
    deploy('r-2');
    trouble.starts = false;
    pass(10_000);
    const routes = told.filter((command) => command.type === 'publish').map(({ route }) => route);
    for (const { backends } of routes) {
      const { weight, instances } = backends.find(({ release }) => release === 'r-2') ?? { weight: 0, instances: [] };
      expect(weight).toBeLessThanOrEqual(25 * instances.length);
    }
    expect(routes.at(-1)?.backends[0]).toMatchObject({ release: 'r-2', weight: 5 });
  });

  it('that does not get its capacity in time is given up, and stable still has everything', () => {
    const { deploy, pass, trouble, weights, live, state } = world(canary);
    trouble.starts = false;
    deploy('r-2');
    pass(8_000);
    expect([state().failure?.reason, state().stable, weights(), live('r-1')]).toEqual([
      expect.stringContaining('no progress'),
      1,
      { 'r-1': 100 },
      4,
    ]);
  });

  it('waits for whoever has to agree, and goes on when promoted', () => {
    const { deploy, pass, operate, weights, state } = world({ strategy: 'canary', stages: [stage(5, 0, true), stage(50)] });
    deploy('r-2');
    pass(100_000);
    expect([weights(), state().candidate?.paused?.reason]).toEqual([{ 'r-2': 5, 'r-1': 95 }, 'waits for approval']);
    operate({ type: 'promote', full: false });
    expect([weights(), state().candidate?.paused]).toEqual([{ 'r-2': 50, 'r-1': 50 }, undefined]);
    operate({ type: 'promote', full: true });
    expect([weights(), state().stable]).toEqual([{ 'r-2': 100 }, 2]);
  });

  it('stands still while paused and goes on where it was', () => {
    const { deploy, pass, operate, weights } = world(canary);
    deploy('r-2');
    operate({ type: 'pause' });
    pass(100_000);
    expect(weights()).toEqual({ 'r-2': 5, 'r-1': 95 });
    operate({ type: 'resume' });
    expect(weights()).toEqual({ 'r-2': 50, 'r-1': 50 });
  });

  it('that is aborted leaves everything to stable at once, whose instances never went', () => {
    const { deploy, pass, operate, weights, live, state, told } = world(canary);
    deploy('r-2');
    pass(10_000);
    const before = told.length;
    operate({ type: 'abort' });
    const first = told.slice(before).find((command) => command.type === 'publish');
    expect(first?.route.backends.find(({ release }) => release === 'r-1')).toMatchObject({ weight: 4 });
    expect(first?.route.backends.find(({ release }) => release === 'r-2')?.weight ?? 0).toBe(0);
    expect([weights(), live('r-1'), state().failure?.reason]).toEqual([{ 'r-1': 100 }, 4, 'aborted by ada']);
    expect(told.slice(before).some((command) => command.type === 'start')).toBe(false);
  });

  it('that is superseded makes way for the newer candidate; stable is untouched', () => {
    const { deploy, pass, weights, live, state } = world(canary);
    deploy('r-2');
    pass(10_000);
    deploy('r-3');
    expect([weights(), live('r-1'), state().stable]).toEqual([{ 'r-3': 5, 'r-1': 95 }, 4, 1]);
    deploy('r-1');
    expect([weights(), live('r-1'), state().candidate]).toEqual([{ 'r-1': 100 }, 4, undefined]);
  });

  it('draws its cohorts with a salt of its own, the candidate before stable', () => {
    const { deploy, route } = world({ ...canary, affinity: { by: 'cookie', name: 'session' } });
    deploy('r-2');
    const first = route();
    deploy('r-3');
    expect(first?.split).toMatchObject({ affinity: { by: 'cookie', name: 'session' }, overrideHeader: 'x-sluice-release' });
    expect(first?.backends.map(({ release }) => release)).toEqual(['r-2', 'r-1']);
    expect(route()?.split?.salt).not.toBe(first?.split?.salt);
  });
});

const analysis: AnalysisSettings = { rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 200 }, latencyTolerance: 1, noData: 'hold' };

function counted(units: number, errors: number, epoch = 'one'): GatewayEvidence {
  return {
    epoch,
    isComplete: true,
    counts: {
      ...noCounts,
      units: [{ chance: 0.05, candidate: units, stable: 19 * units }],
      errors: [{ chance: 0.05, candidate: errors, stable: units / 10 }],
    },
  };
}

describe('a canary that is judged', () => {
  it('is looked at every second as long as users meet it, also while it is held and the next stage has no capacity', () => {
    const { deploy, pass, trouble, operate, looksIn, weights } = world({ ...canary, analysis });
    deploy('r-2');
    trouble.starts = false;
    trouble.extra = { evidence: counted(300, 3) };
    pass(10_000);
    operate({ type: 'pause' });
    expect([weights(), looksIn()]).toEqual([{ 'r-2': 5, 'r-1': 95 }, 1_000]);
  });

  it('is taken back at once when the evidence turns against it, with the numbers', () => {
    const { deploy, pass, trouble, weights, state } = world({ ...canary, analysis });
    deploy('r-2');
    trouble.extra = { evidence: counted(300, 60) };
    pass(1_000);
    expect([weights(), state().failure]).toMatchObject([{ 'r-1': 100 }, { withdrawn: true }]);
    expect(state().failure?.reason).toMatch(
      /^errors got worse than is tolerated: errors .*x of stable \(95%, always valid\), evidence over 1,000,000 to 1 against it where 20 suffice; 300 candidate requests$/,
    );
  });

  it('is held instead where that is declared', () => {
    const { deploy, pass, trouble, weights, state } = world({ ...canary, analysis, onFailure: 'hold' });
    deploy('r-2');
    trouble.extra = { evidence: counted(300, 60) };
    pass(100_000);
    expect([weights(), state().candidate?.paused?.reason]).toEqual([{ 'r-2': 5, 'r-1': 95 }, expect.stringContaining('errors got worse')]);
  });

  it.each([
    ['hold', { 'r-2': 5, 'r-1': 95 }, undefined],
    [
      'rollback',
      { 'r-1': 100 },
      '3 of 200 candidate requests have been seen, and no_data is rollback: errors at most 494971x of stable (95%, always valid); 3 candidate requests',
    ],
    ['continue', { 'r-2': 50, 'r-1': 50 }, undefined],
  ] as const)('without data does what no_data says, with the numbers: %s', (noData, expected, reason) => {
    const { deploy, pass, trouble, weights, state } = world({ ...canary, analysis: { ...analysis, noData } });
    deploy('r-2');
    trouble.extra = { evidence: counted(3, 0) };
    pass(10_000);
    expect([weights(), state().failure?.reason]).toEqual([expected, reason]);
  });

  it('keeps what was counted before the gateway was started anew', () => {
    const { deploy, pass, trouble, state } = world({ ...canary, analysis });
    deploy('r-2');
    trouble.extra = { evidence: counted(150, 2) };
    pass(1_000);
    trouble.extra = { evidence: counted(100, 1, 'two') };
    pass(1_000);
    expect(state().candidate?.course?.evidence?.verdict.units).toBe(250);
  });
});

describe('blue/green', () => {
  it('brings up a whole second set without requests, switches once, and keeps the first for a while', () => {
    const { deploy, pass, weights, live, told, state } = world(blueGreen);
    const before = told.length;
    deploy('r-2');
    const shares = told
      .slice(before)
      .filter((command) => command.type === 'publish')
      .map(({ route }) => route.backends.find(({ release }) => release === 'r-2'))
      .filter((backend) => backend !== undefined);
    expect(new Set(shares.map(({ weight }) => weight > 0)).size).toBe(2);
    expect(shares.filter(({ weight, instances }) => weight > 0 && instances.length !== 4)).toEqual([]);
    expect([weights(), live('r-1'), live('r-2'), state().stable]).toEqual([{ 'r-2': 100, 'r-1': 0 }, 4, 4, 2]);
    pass(60_000);
    expect([weights(), live('r-1')]).toEqual([{ 'r-2': 100 }, 0]);
  });

  it('returns to the set that was kept without starting anything', () => {
    const { deploy, operate, weights, told, state } = world(blueGreen);
    deploy('r-2');
    const before = told.length;
    operate({ type: 'rollback' });
    expect([weights(), state().stable, told.slice(before).some((command) => command.type === 'start')]).toEqual([{ 'r-1': 100 }, 1, false]);
  });

  it('checks the candidate before it gets any request, and gives it up when it fails', () => {
    const { deploy, settle, trouble, weights, state, told } = world({ ...blueGreen, smoke: { path: '/selftest', timeoutMs: 1_000 } });
    deploy('r-2');
    expect([weights(), told.findLast((command) => command.type === 'smoke')]).toMatchObject([
      { 'r-2': 0, 'r-1': 100 },
      // Each of its instances, and the release as its requests will reach it.
      { instances: { length: 4 }, routes: [{ host: 'agent.localhost', headers: { 'x-sluice-release': 'r-2' } }] },
    ]);
    trouble.extra = { smoke: { outcome: 'failed', reason: '/selftest answered 500' } };
    settle();
    expect([weights(), state().failure?.reason]).toEqual([{ 'r-1': 100 }, 'its smoke check failed: /selftest answered 500']);
    trouble.extra = { smoke: undefined };
    deploy('r-3');
    trouble.extra = { smoke: { outcome: 'passed' } };
    settle();
    expect(weights()).toEqual({ 'r-3': 100, 'r-1': 0 });
  });
});
