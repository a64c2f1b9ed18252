import { describe, expect, it } from 'vitest';
import { newCourse } from './course-state.ts';
import { foldEvidence } from './course-evidence.ts';
import { newService, withDesired } from './desired-state.ts';
import { noCounts } from './evidence/counts.ts';
import { operated } from './operate.ts';
import type { AnalysisSettings } from './service-state.ts';
import { servingOf, settlementOf } from './service-status.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import type { GatewayEvidence } from './strategy.ts';
import { blueGreen, canary, stage, world } from './testdata/staged-world.ts';

const analysis: AnalysisSettings = { rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 200 }, latencyTolerance: 1, noData: 'hold' };
const counted = (units: number, errors: number, epoch = 'one'): GatewayEvidence => ({
  epoch,
  isComplete: true,
  counts: {
    ...noCounts,
    units: [{ chance: 0.05, candidate: units, stable: 19 * units }],
    errors: [{ chance: 0.05, candidate: errors, stable: units / 10 }],
  },
});

const canaryOf = (release: string) => {
  const desired = desiredRelease(release, release);
  return { ...desired, settings: { ...desired.settings, rollout: { ...desired.settings.rollout, ...canary } } };
};

describe('a rollout by stages at its edges', () => {
  it('has come to rest when the new set serves, although the one before is kept ready', () => {
    const { deploy, state, route } = world(blueGreen);
    deploy('r-2');
    expect(settlementOf(state(), route())).toEqual({ outcome: 'ready' });
  });

  it('returns past the set that is kept ready without counting it as capacity', () => {
    const { deploy, operate, live, weights, trouble, state } = world(blueGreen);
    deploy('r-2');
    deploy('r-3');
    expect(state().previous).toBeDefined();
    trouble.starts = false;
    operate({ type: 'rollback', to: 'r-1' });
    expect([live('r-3'), weights()['r-3']]).toEqual([4, 100]);
    expect(state().instances.some(({ phase, generation }) => phase === 'starting' && generation === state().candidate?.generation)).toBe(
      true,
    );
  });

  it('is no reason to wait for those that call the service: its stable release answers', () => {
    const { deploy, state, route, sicken } = world({ ...canary, stages: [stage(5, 0, true)] });
    deploy('r-2');
    expect([settlementOf(state(), route()), servingOf(state(), route())]).toEqual([undefined, { outcome: 'ready' }]);
    sicken('r-1', 4);
    expect(servingOf(state(), route())).toBeUndefined();
  });

  it('can be promoted from its first moment on', () => {
    const { candidate, ...first } = newService(canaryOf('r-1'), { uid: 'a1', token: { sealed: '', digest: '' } }, 0);
    const begun = withDesired({ ...first, stable: candidate?.generation ?? 0 }, canaryOf('r-2'), 0);
    expect(operated(begun, { type: 'promote', full: true }, 'ada', 0).candidate?.course?.stage).toBe(2);
  });

  it('waits for approval at a last step that is the whole, too', () => {
    const { deploy, operate, state, weights, pass } = world({ ...canary, stages: [stage(100, 0, true)] });
    deploy('r-2');
    pass(1_000);
    expect([weights(), state().stable, state().candidate?.paused?.reason]).toEqual([{ 'r-2': 100, 'r-1': 0 }, 1, 'waits for approval']);
    operate({ type: 'promote', full: false });
    expect(state().stable).toBe(2);
  });

  it('that is held for its evidence goes on when somebody promotes it all the same', () => {
    const { deploy, operate, pass, weights, trouble, state } = world({ ...canary, analysis, onFailure: 'hold' });
    deploy('r-2');
    trouble.extra = { evidence: counted(300, 60) };
    pass(1_000);
    operate({ type: 'resume' });
    expect(state().candidate?.paused?.reason).toContain('errors got worse');
    operate({ type: 'promote', full: false });
    expect([weights(), state().candidate?.paused]).toEqual([{ 'r-2': 50, 'r-1': 50 }, undefined]);
    pass(10_000);
    expect(weights()).toEqual({ 'r-2': 100 });
  });

  it('that becomes a rolling one takes instances and requests together', () => {
    const { deploy, redeclare, route, told, weights } = world(canary);
    deploy('r-2');
    const before = told.length;
    redeclare('r-2', { strategy: 'rolling' });
    const routes = told.slice(before).flatMap((command) => (command.type === 'publish' ? [command.route] : []));
    const shares = routes.flatMap(({ backends }) => {
      const total = backends.reduce((sum, { weight }) => sum + weight, 0);
      return backends.map(({ weight, instances }) => ({
        instances: (4 * weight) / total,
        active: instances.filter((instance) => instance.state === 'active').length,
      }));
    });
    expect(shares.filter(({ instances, active }) => instances > active + 1e-6)).toEqual([]);
    expect([weights(), route()?.split]).toEqual([{ 'r-2': 100 }, undefined]);
  });

  it('whose steps are declared anew brings the new share into force before it counts', () => {
    const { deploy, redeclare, weights, state, trouble } = world({ ...canary, stages: [stage(5, 60_000)] });
    deploy('r-2');
    trouble.starts = false;
    redeclare('r-2', { ...canary, stages: [stage(100, 0)] });
    expect([weights(), state().stable]).toEqual([{ 'r-2': 5, 'r-1': 95 }, 1]);
  });

  it.each(['superseded', 'given up'])('leaves a candidate that was %s no requests while stable can answer', (how) => {
    const { deploy, sicken, weights, operate } = world({ ...canary, stages: [stage(5, 0, true)] });
    deploy('r-2');
    sicken('r-1', 1);
    if (how === 'superseded') deploy('r-3');
    else operate({ type: 'abort' });
    expect(weights()['r-2'] ?? 0).toBe(0);
  });

  it.each([
    ['superseded', 'r-3'],
    ['given up for stable', 'r-1'],
  ])('gives a candidate that was %s no requests where what is wanted then is rolled', (_, next) => {
    const { deploy, sicken, redeclare, told, weights } = world({ ...canary, stages: [stage(5, 0, true)] });
    deploy('r-2');
    sicken('r-1', 1);
    const before = told.length;
    redeclare(next, { strategy: 'rolling' });
    const routes = told.slice(before).flatMap((command) => (command.type === 'publish' ? [command.route.backends] : []));
    const given = routes.map((backends) => backends.find(({ release }) => release === 'r-2')?.weight ?? 0);
    expect(given.length).toBeGreaterThan(0);
    expect(Math.max(...given)).toBe(0);
    expect(weights()).toEqual({ [next]: 100 });
  });

  it('leaves nothing of a first release that was aborted', () => {
    const { replace, operate, state, trouble } = world(canary);
    trouble.starts = false;
    replace(({ stable, ...rest }) => ({
      ...rest,
      replicas: 5,
      candidate: { generation: stable ?? 1, startedAt: 0, progressAt: 0, progress: 0 },
    }));
    expect(state().instances).toHaveLength(5);
    operate({ type: 'abort' });
    expect(state().instances).toEqual([]);
  });

  it('counts nothing twice when the gateway counted something else in between', () => {
    const { state } = world({ ...canary, analysis });
    const nothing: GatewayEvidence = { epoch: '', isComplete: true, counts: noCounts };
    let course = foldEvidence(state(), { ...newCourse, weight: 5 }, counted(300, 3));
    course = foldEvidence(state(), course, nothing);
    course = foldEvidence(state(), course, counted(400, 4));
    expect(course.evidence?.verdict.units).toBe(400);
  });
});
