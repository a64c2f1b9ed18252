import { describe, expect, it } from 'vitest';
import { noCounts } from './evidence/counts.ts';
import { recorded } from './rollout-record.ts';
import { rolloutOf, stageInWords } from './rollout-view.ts';
import type { AnalysisSettings, RolloutSettings, StageSettings } from './service-state.ts';
import type { GatewayEvidence } from './strategy.ts';
import { stage, world } from './testdata/staged-world.ts';

const copying = (percent: number, forMs = 10_000, approval = false): StageSettings => ({
  ...stage(0, forMs, approval),
  mirror: { percent, methods: ['GET'] },
});
const mirrored: Partial<RolloutSettings> = { strategy: 'canary', stages: [copying(100), stage(5), stage(50)] };
const analysis: AnalysisSettings = {
  rules: { alpha: 0.05, errors: { tolerate: 1 }, decisions: { attribute: 'decision' }, minUnits: 200 },
  latencyTolerance: 1,
  noData: 'hold',
};

/** What the gateway tells of copies: so many pairs, and how many of the copies failed. */
function copied(pairs: number, failed: number, epoch = 'one'): GatewayEvidence {
  const copies = {
    ...noCounts,
    units: [{ chance: 0.5, candidate: pairs, stable: pairs }],
    errors: [{ chance: 0.5, candidate: failed, stable: Math.round(pairs / 100) }],
  };
  return { epoch, isComplete: true, counts: noCounts, copies };
}

describe('a step that copies requests', () => {
  it('brings about the capacity for all copies first, gives nobody to the candidate, and ends when the share begins', () => {
    const { deploy, pass, weights, live, route, state, told } = world(mirrored);
    deploy('r-2');
    expect([weights(), live('r-1'), live('r-2')]).toEqual([{ 'r-2': 0, 'r-1': 100 }, 4, 4]);
    expect(route()?.mirror).toEqual({ release: 'r-2', percent: 100, bodyBytes: 1_048_576, methods: ['GET'] });
    const copiesAndReady = told
      .filter((command) => command.type === 'publish')
      .map(({ route: { mirror, backends } }) => [
        mirror?.percent ?? 0,
        backends.find(({ release }) => release === 'r-2')?.instances.length,
      ]);
    expect(copiesAndReady.filter(([percent = 0, ready = 0]) => percent > 25 * ready)).toEqual([]);
    pass(9_999);
    expect(weights()).toEqual({ 'r-2': 0, 'r-1': 100 });
    pass(1);
    expect([weights(), live('r-2'), route()?.mirror]).toEqual([{ 'r-2': 5, 'r-1': 95 }, 4, undefined]);
    pass(10_000);
    pass(10_000);
    expect([weights(), state().stable]).toEqual([{ 'r-2': 100 }, 2]);
  });

  it('says in words what it does, and what it waits for', () => {
    const { deploy, trouble, settle, state } = world({ ...mirrored, analysis });
    deploy('r-2');
    expect(stageInWords(state(), 0)).toBe('stage 1 of 4, copies 100 % of the requests, lasts until 00:00:10');
    trouble.extra = { evidence: copied(20, 0) };
    settle();
    expect(rolloutOf(state(), 10_000)).toMatchObject({
      weight: 0,
      copies: { percent: 100, methods: ['GET'] },
      waits: { for: 'evidence', message: '20 of 200 copied requests have been seen' },
      evidence: [expect.stringMatching(/^errors .* \(97\.5%, always valid\), 20 copied requests$/), expect.anything()],
    });
  });

  it.each([
    ['aborted', { type: 'abort' as const }],
    ['rolled back', { type: 'rollback' as const }],
  ])('copies nothing any more once it is %s, and stable never had less than everything', (_, action) => {
    const { deploy, operate, pass, weights, route, live, told } = world(mirrored);
    deploy('r-2');
    operate(action);
    pass(1_000);
    expect([weights(), live('r-1'), route()?.mirror]).toEqual([{ 'r-1': 100 }, 4, undefined]);
    const shares = told
      .filter((command) => command.type === 'publish')
      .map((command) => command.route.backends.find(({ release }) => release === 'r-2'));
    expect(shares.filter((backend) => (backend?.weight ?? 0) > 0)).toEqual([]);
  });

  it('goes on copying while it is paused, waits for approval, and moves on when promoted', () => {
    const { deploy, operate, pass, weights, route, state } = world({ ...mirrored, stages: [copying(50, 0, true), stage(5)] });
    deploy('r-2');
    pass(60_000);
    expect([state().candidate?.paused?.reason, route()?.mirror?.percent]).toEqual(['waits for approval', 50]);
    operate({ type: 'promote', full: false });
    expect([weights(), route()?.mirror]).toEqual([{ 'r-2': 5, 'r-1': 95 }, undefined]);
  });

  it('of a candidate that is superseded makes way for copies to the newer one', () => {
    const { deploy, route, live, weights, pass } = world(mirrored);
    deploy('r-2');
    deploy('r-3');
    pass(0);
    expect([route()?.mirror?.release, live('r-3'), weights()]).toEqual(['r-3', 4, { 'r-3': 0, 'r-1': 100 }]);
  });

  it('that is declared anew with other requests to copy begins anew', () => {
    const { deploy, redeclare, route, state, pass } = world(mirrored);
    deploy('r-2');
    pass(9_000);
    redeclare('r-2', { ...mirrored, stages: [copying(10), stage(5)] });
    expect([route()?.mirror?.percent, state().candidate?.course?.inForceSince]).toEqual([10, 9_000]);
  });

  it('copies no more than what is ready can carry', () => {
    const { deploy, sicken, route } = world(mirrored);
    deploy('r-2');
    sicken('r-2', 3);
    expect(route()?.mirror?.percent).toBe(25);
    sicken('r-2', 4);
    expect(route()?.mirror).toBeUndefined();
  });
});

describe('what is counted of copies', () => {
  it('takes a candidate back before it has had a single user, with the numbers', () => {
    const { deploy, pass, trouble, weights, state } = world({ ...mirrored, analysis });
    deploy('r-2');
    const before = state();
    trouble.extra = { evidence: copied(300, 60) };
    pass(1_000);
    expect([weights(), state().failure]).toMatchObject([{ 'r-1': 100 }, { withdrawn: true, evidence: { of: 'copies', units: 300 } }]);
    expect(state().failure?.reason).toMatch(
      /^among copies errors got worse than is tolerated: errors .*x of stable \(97\.5%, always valid\), evidence .* to 1 against it where 40 suffice; 300 copied requests$/,
    );
    const [record] = recorded(before, { ...state(), rollouts: before.rollouts ?? [] }, 0).rollouts ?? [];
    expect(record?.evidence?.[0] ?? state().failure?.evidence?.because).toContain('among copies');
  });

  it('has half of alpha, as what users meet has: the chance of a false rollback is that of both', () => {
    const { deploy, pass, trouble, state } = world({ ...mirrored, analysis });
    deploy('r-2');
    trouble.extra = { evidence: copied(200, 0) };
    pass(10_000);
    const units = [{ chance: 0.05, candidate: 10, stable: 190 }];
    trouble.extra = { evidence: { epoch: 'one', isComplete: true, counts: { ...noCounts, units } } };
    pass(1_000);
    const { evidence, copies } = state().candidate?.course ?? {};
    expect(copies?.verdict.findings.map(({ metric, bar }) => [metric, bar])).toEqual([['errors', 40]]);
    expect(evidence?.verdict.findings.map(({ metric, bar }) => [metric, bar])).toEqual([
      ['errors', 80],
      ['decisions', 80],
    ]);
  });

  it('is no evidence of what users meet: neither counts for the other', () => {
    const { deploy, pass, trouble, weights, state } = world({ ...mirrored, analysis });
    deploy('r-2');
    trouble.extra = { evidence: copied(5_000, 0) };
    pass(10_000);
    expect([weights(), state().candidate?.course?.copies?.verdict.verdict]).toEqual([{ 'r-2': 5, 'r-1': 95 }, 'inconclusive']);
    pass(100_000);
    expect([weights(), state().candidate?.course?.evidence?.verdict.units]).toEqual([{ 'r-2': 5, 'r-1': 95 }, 0]);
    // What comes in late of copies decides nothing any more.
    trouble.extra = { evidence: copied(5_300, 300) };
    pass(1_000);
    expect([state().failure, state().candidate?.course?.copies?.verdict.units]).toEqual([undefined, 5_000]);
  });

  it('is waited for as no_data says, and kept over lives of the gateway', () => {
    const { deploy, pass, trouble, weights, state } = world({ ...mirrored, analysis });
    deploy('r-2');
    trouble.extra = { evidence: copied(150, 1) };
    pass(20_000);
    expect(weights()).toEqual({ 'r-2': 0, 'r-1': 100 });
    trouble.extra = { evidence: copied(60, 0, 'two') };
    pass(1_000);
    expect([weights(), state().candidate?.course?.copies?.verdict.units]).toEqual([{ 'r-2': 5, 'r-1': 95 }, 210]);
  });

  it('can be overruled for itself alone', () => {
    const { deploy, operate, pass, trouble, weights, state } = world({
      ...mirrored,
      stages: [copying(50), copying(100), stage(5)],
      analysis,
      onFailure: 'hold',
    });
    deploy('r-2');
    trouble.extra = { evidence: copied(300, 60) };
    pass(1_000);
    expect(state().candidate?.paused?.reason).toContain('among copies errors got worse');
    operate({ type: 'promote', full: false });
    pass(10_000);
    expect([weights(), state().candidate?.course?.overruled]).toEqual([{ 'r-2': 5, 'r-1': 95 }, undefined]);
  });
});
