import { describe, expect, it } from 'vitest';
import { noCounts } from './evidence/counts.ts';
import { shownVerdict } from './course-verdict.ts';
import { rolloutOf } from './rollout-view.ts';
import type { AnalysisSettings, RolloutSettings } from './service-state.ts';
import type { Measured, Measurement, SourceSettings } from './sources/source.ts';
import { stage, world } from './testdata/staged-world.ts';

const tokens: SourceSettings = {
  name: 'tokens',
  ask: { type: 'command', command: ['check'] },
  intervalMs: 4_000,
  timeoutMs: 1_000,
  failures: 1,
  errors: 1,
};
const analysis: AnalysisSettings = { rules: { alpha: 0.05, minUnits: 100 }, latencyTolerance: 1, sources: [tokens], noData: 'hold' };
const pass: Measured = { outcome: 'pass', value: 3 };
const fail: Measured = { outcome: 'fail', value: 9 };
const error: Measured = { outcome: 'error', said: 'nobody listens' };
const noData: Measured = { outcome: 'no_data', said: 'nothing is found' };

/** A rollout of 10 s at 50 %, in which every second whatever is asked for is measured and comes to what `says` is at that moment. */
function rollOut(settings: Partial<RolloutSettings> = {}, evidence: Partial<AnalysisSettings> = {}) {
  const made = new Map<string, Measurement>();
  const place = world({ strategy: 'canary', stages: [stage(50)], analysis: { ...analysis, ...evidence }, ...settings });
  place.trouble.extra = { measurements: made };
  const seen: { says: Measured; now: number; asked: number } = { says: pass, now: 0, asked: 0 };
  const answer = (): void => {
    for (const command of place.told.splice(0)) {
      if (command.type !== 'measure' || made.has(command.key)) continue;
      made.set(command.key, { at: seen.now, measured: seen.says });
      seen.asked += 1;
    }
    place.settle();
  };
  place.deploy('r-2');
  answer();
  const wait = (seconds: number): void => {
    for (let second = 0; second < seconds; second += 1) {
      seen.now += 1_000;
      place.pass(1_000);
      answer();
    }
  };
  return {
    ...place,
    wait,
    asked: () => seen.asked,
    says: (measured: Measured) => (seen.says = measured),
    verdict: () => shownVerdict(place.state(), place.state().candidate?.course),
    paused: () => place.state().candidate?.paused,
  };
}

describe('a source of evidence', () => {
  it('is asked when a stage comes into force, at its interval, and once more when its time is over', () => {
    const { wait, asked, state } = rollOut();
    expect(asked()).toBe(1);
    wait(3);
    expect(asked()).toBe(1);
    wait(1);
    expect(asked()).toBe(2);
    wait(5);
    expect([asked(), state().stable]).toEqual([3, 1]);
    wait(1);
    expect([asked(), state().stable]).toEqual([4, 2]);
    expect(state().rollouts).toBeUndefined();
  });

  it('that fails more often in a row than is tolerated has the candidate taken back, with its numbers', () => {
    const { wait, says, state } = rollOut();
    says(fail);
    wait(4);
    expect(state().candidate?.course?.sources).toMatchObject([{ failures: 1, counts: { pass: 1, fail: 1 } }]);
    wait(4);
    expect(state().failure).toMatchObject({
      reason: 'tokens failed 2 times in a row: tokens 9: fail (command, 1 passed, 2 failed)',
      withdrawn: true,
      evidence: { verdict: 'fail', sources: [{ source: 'tokens', verdict: 'fail', value: 9 }] },
    });
  });

  it('that cannot be asked holds the candidate, concludes nothing, and lets it go on by itself once it can', () => {
    const { wait, says, paused, state, weights } = rollOut();
    says(error);
    wait(60);
    expect([weights(), state().failure]).toEqual([{ 'r-2': 50, 'r-1': 50 }, undefined]);
    expect(paused()).toMatchObject({ reason: 'tokens could not be measured 2 times in a row: nobody listens', recovers: true });
    expect(rolloutOf(state(), 60_000)).toMatchObject({
      verdict: 'error',
      waits: { for: 'evidence', message: expect.stringContaining('nobody listens') },
      findings: [{ name: 'tokens', source: 'command', verdict: 'error', measurements: { passed: 1, errors: 15 } }],
    });
    says(pass);
    wait(5);
    expect([paused(), state().stable]).toEqual([undefined, 2]);
  });

  it('that answers again does not undo what somebody has paused', () => {
    const { wait, says, paused, operate, state } = rollOut();
    says(error);
    wait(20);
    operate({ type: 'pause' });
    says(pass);
    wait(20);
    expect([paused()?.reason, state().stable]).toEqual(['paused by ada', 1]);
    operate({ type: 'resume' });
    wait(1);
    expect(state().stable).toBe(2);
  });

  it.each([
    ['hold', { stable: 1, isUnderWay: true, failure: undefined }],
    [
      'rollback',
      {
        stable: 1,
        isUnderWay: false,
        failure: expect.stringMatching(
          /^tokens has no data: nothing is found, and no_data is rollback: tokens: inconclusive \(command, \d passed, 0 failed, \d without data\)$/,
        ),
      },
    ],
    ['continue', { stable: 2, isUnderWay: false, failure: undefined }],
  ] as const)('without data at the end of a step: %s', (rule, expected) => {
    const { wait, says, state } = rollOut({}, { noData: rule });
    says(noData);
    wait(30);
    const { stable, candidate, failure } = state();
    expect({ stable, isUnderWay: candidate !== undefined, failure: failure?.reason }).toEqual(expected);
  });

  it('whose last measurement failed is waited for, whatever is to be done without data', () => {
    const { wait, says, state } = rollOut({}, { noData: 'continue' });
    wait(9);
    says(fail);
    wait(3);
    expect([state().stable, state().candidate !== undefined]).toEqual([1, true]);
    says(pass);
    wait(2);
    expect(state().stable).toBe(2);
  });

  it('is overruled by whoever promotes in spite of it', () => {
    const { wait, says, operate, paused, weights } = rollOut({ onFailure: 'hold', stages: [stage(5), stage(50, 60_000)] });
    says(fail);
    wait(9);
    expect(paused()?.reason).toContain('tokens failed 2 times in a row');
    operate({ type: 'promote', full: false });
    wait(9);
    expect([paused(), weights()]).toEqual([undefined, { 'r-2': 50, 'r-1': 50 }]);
  });
});

describe('a source beside copies of requests', () => {
  const copying = { stages: [{ ...stage(0), mirror: { percent: 100, methods: ['GET'] } }, stage(50)] };

  it('is asked while requests are copied too, and its failure is enough', () => {
    const { wait, asked, says, state } = rollOut(copying);
    says(fail);
    wait(8);
    expect([asked(), state().failure]).toMatchObject([3, { reason: expect.stringContaining('tokens failed') }]);
  });

  it('that was overruled stays so, and what users meet still decides', () => {
    const { wait, says, operate, paused, trouble, state } = rollOut(
      { ...copying, onFailure: 'hold' },
      { rules: { ...analysis.rules, errors: { tolerate: 1 } } },
    );
    says(fail);
    wait(9);
    expect(paused()?.reason).toContain('tokens failed');
    operate({ type: 'promote', full: false });
    wait(2);
    expect([paused(), state().candidate?.course]).toMatchObject([undefined, { stage: 1, sourcesOverruled: true }]);
    const units = [{ chance: 0.5, candidate: 500, stable: 500 }];
    const counts = { ...noCounts, units, errors: [{ chance: 0.5, candidate: 100, stable: 5 }] };
    trouble.extra = { ...trouble.extra, evidence: { epoch: 'one', isComplete: true, counts } };
    wait(1);
    expect(paused()?.reason).toContain('errors got worse');
  });
});

/** So many requests of either release, of which one in twenty failed. */
const counted = (units: number) => ({
  epoch: 'one',
  isComplete: true,
  counts: {
    ...noCounts,
    units: [{ chance: 0.5, candidate: units, stable: units }],
    errors: [{ chance: 0.5, candidate: units / 20, stable: units / 20 }],
  },
});

describe('a step that ends only with a pass', () => {
  const settings = { stages: [{ ...stage(50), passWithinMs: 20_000 }] };
  const rules = { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 100 };

  it('waits for it, and for every source', () => {
    const { trouble, wait, verdict, state, settle } = rollOut(settings, { rules });
    trouble.extra = { ...trouble.extra, evidence: counted(200) };
    wait(15);
    expect([verdict()?.verdict, verdict()?.because, state().stable]).toEqual(['inconclusive', 'nothing is shown yet about errors', 1]);
    trouble.extra = { ...trouble.extra, evidence: counted(10_000) };
    settle();
    wait(1);
    expect(state().stable).toBe(2);
  });

  it.each([
    ['hold', 1, undefined],
    [
      'rollback',
      1,
      expect.stringMatching(
        /^it has to pass: nothing is shown yet about errors, and no_data is rollback: errors .* 200 candidate requests/,
      ),
    ],
    ['continue', 2, undefined],
  ] as const)('does what is said for no data when its time is over: %s', (noDataRule, stable, reason) => {
    const { trouble, wait, state } = rollOut(settings, { rules, noData: noDataRule });
    trouble.extra = { ...trouble.extra, evidence: counted(200) };
    wait(19);
    expect([state().stable, state().failure]).toEqual([1, undefined]);
    wait(2);
    expect([state().stable, state().failure?.reason]).toEqual([stable, reason]);
  });

  it('may be the last one', () => {
    const { wait, says, state, weights } = rollOut({ stages: [stage(50), { ...stage(100, 1_000), passWithinMs: 3_600_000 }] });
    wait(10);
    says(noData);
    wait(30);
    expect([weights(), state().stable]).toEqual([{ 'r-2': 100, 'r-1': 0 }, 1]);
    says(pass);
    wait(5);
    expect(state().stable).toBe(2);
  });
});
