import { describe, expect, it } from 'vitest';
import { noCounts } from '../evidence/counts.ts';
import type { OutcomeCounts } from '../evidence/experiment.ts';
import type { Counts } from '../evidence/judge.ts';
import { recorded } from '../rollout-record.ts';
import type { RolloutSettings } from '../service-state.ts';
import { rolloutOf } from '../rollout-view.ts';
import { routeOf } from '../service-route.ts';
import { stageOf } from '../course.ts';
import { stage, world } from '../testdata/staged-world.ts';
import { stepExperiment } from './step-experiment.ts';

const hour = 3_600_000;
const settings: Partial<RolloutSettings> = {
  strategy: 'canary',
  stages: [stage(5), stage(50)],
  affinity: { by: 'cookie', name: 'session' },
  analysis: { rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 1 }, latencyTolerance: 1, noData: 'hold' },
  experiment: {
    metric: { attribute: 'agent.outcome', value: 'resolved', goal: 'more' },
    arms: ['warm', 'terse'],
    share: 60,
    forMs: hour,
    minUnits: 100,
    alpha: 0.05,
    onWinner: 'hold',
  },
};
const whole: Counts = { ...noCounts, units: [{ chance: 1 / 3, candidate: 1_000, stable: 2_000 }] };
const harmed: Counts = { ...whole, errors: [{ chance: 1 / 3, candidate: 300, stable: 20 }] };
const shares = { 'r-2': 0.2, 'r-2-warm': 0.2, 'r-2-terse': 0.2, 'r-1': 0.4 };
const outcomes = (events: Record<string, number>): OutcomeCounts => [
  { shares, units: { 'r-2': 2_000, 'r-2-warm': 2_000, 'r-2-terse': 2_000, 'r-1': 4_000 }, events },
];
const warmWins = outcomes({ 'r-2': 1_200, 'r-2-warm': 1_600, 'r-2-terse': 1_190, 'r-1': 2_400 });
const alike = outcomes({ 'r-2': 1_200, 'r-2-warm': 1_205, 'r-2-terse': 1_190, 'r-1': 2_400 });

/** A canary at its experiment, in which the gateway counts what it is told to. */
function experiment(changed: Partial<RolloutSettings> = {}, replicas = 10) {
  const place = world({ ...settings, ...changed }, replicas);
  const counted = { safety: {} as Record<string, Counts>, outcomes: [] as OutcomeCounts, epoch: 'one' };
  const look = () => {
    const { revisions, candidate } = place.state();
    const evidence = ({ counts }: { counts: Counts }) => ({ epoch: counted.epoch, counts, isComplete: true });
    const of = (release: string) => evidence({ counts: counted.safety[release] ?? whole });
    const arms = revisions.map(({ generation, release }) => [generation, of(release)] as const);
    const own = revisions.find(({ generation }) => generation === candidate?.generation)?.release ?? '';
    return {
      evidence: of(own),
      experiment: { arms: new Map(arms), outcomes: { epoch: counted.epoch, counts: counted.outcomes, isComplete: true } },
    };
  };
  // Of the candidate there is at each moment.
  Object.defineProperty(place.trouble, 'extra', { get: look });
  return {
    ...place,
    counted,
    arms: () => Object.fromEntries((place.state().candidate?.course?.experiment?.arms ?? []).map((arm) => [arm.name, arm])),
    begin: () => {
      place.deploy('r-2');
      place.pass(10_000);
    },
  };
}

describe('an experiment', () => {
  it('comes after the steps that give the candidate no more than an arm, with capacity first and all arms at once', () => {
    const { begin, weights, live, state, told, route } = experiment();
    begin();
    expect(weights()).toEqual({ 'r-2': 20, 'r-2-warm': 20, 'r-2-terse': 20, 'r-1': 40 });
    expect([live('r-1'), live('r-2'), live('r-2-warm'), live('r-2-terse')]).toEqual([10, 2, 2, 2]);
    const routes = told.filter((command) => command.type === 'publish').map((command) => command.route.backends);
    for (const backends of routes) {
      const arms = backends.filter(({ release }) => release.startsWith('r-2-'));
      expect(new Set(arms.map(({ weight }) => weight)).size).toBeLessThanOrEqual(1);
      for (const { weight, instances } of arms) expect(weight).toBeLessThanOrEqual(instances.length * 10);
    }
    expect(route()?.backends.map(({ release, slot }) => [release, slot?.index, slot?.of])).toEqual([
      ['r-2', 0, 3],
      ['r-2-warm', 1, 3],
      ['r-2-terse', 2, 3],
      ['r-1', undefined, undefined],
    ]);
    expect(route()?.experiment).toEqual({ id: 'a1-2-experiment', attribute: 'agent.outcome' });
    expect(state().candidate?.course).toMatchObject({ stage: 1, weight: 20 });
  });

  it('keeps the slots and the salt of its users from the first step to the last', () => {
    const { begin, route, operate, deploy, counted, pass } = experiment();
    deploy('r-2');
    const first = route();
    expect(first?.backends[0]?.slot).toEqual({ index: 0, of: 3 });
    begin();
    counted.outcomes = warmWins;
    pass(hour);
    operate({ type: 'promote', full: false, arm: 'warm' });
    expect(route()?.split?.salt).toBe(first?.split?.salt);
    expect(route()?.evidence?.id).toBe(first?.evidence?.id);
    expect(route()?.backends.find(({ release }) => release === 'r-2-warm')).toMatchObject({ weight: 50, slot: { index: 1, of: 3 } });
  });

  it('withdraws an arm that does harm: its share is control’s, the others have what they had', () => {
    const { begin, weights, counted, pass, arms, state } = experiment();
    begin();
    counted.safety['r-2-terse'] = harmed;
    pass(1_000);
    expect(weights()).toEqual({ 'r-2': 20, 'r-2-warm': 20, 'r-1': 60 });
    expect(arms()['terse']?.withdrawn?.reason).toContain('errors got worse than is tolerated');
    expect(state().candidate?.paused).toBeUndefined();
  });

  it('goes on without the plain candidate, too, and does not send anybody there', () => {
    const { begin, weights, counted, pass, operate } = experiment();
    begin();
    counted.safety['r-2'] = harmed;
    pass(1_000);
    expect(weights()).toEqual({ 'r-2-warm': 20, 'r-2-terse': 20, 'r-1': 60 });
    expect(() => operate({ type: 'promote', full: false })).toThrow(/was withdrawn from the experiment/);
    operate({ type: 'promote', full: false, arm: 'warm' });
    expect(weights()).toEqual({ 'r-2-warm': 50, 'r-1': 50 });
  });

  it('has failed when every arm has, and everything goes back to stable', () => {
    const { begin, weights, counted, pass, state } = experiment();
    begin();
    for (const release of ['r-2', 'r-2-warm', 'r-2-terse']) counted.safety[release] = harmed;
    pass(1_000);
    expect([weights(), state().candidate, state().stable]).toEqual([{ 'r-1': 100 }, undefined, 1]);
    expect(state().failure?.reason).toMatch(/^every arm of its experiment was withdrawn \(candidate: .*warm: .*terse: /);
  });

  it('divides the alpha of the analysis by its arms', () => {
    const { begin, state } = experiment();
    begin();
    expect(state().candidate?.course?.evidence?.verdict.findings[0]?.bar).toBeCloseTo(3 / 0.05);
  });

  it('ends with its time and enough users, holds by default and says who has won', () => {
    const { begin, weights, counted, pass, state } = experiment();
    begin();
    pass(2 * hour);
    expect([state().candidate?.paused, rolloutOf(state(), 3 * hour)?.waits]).toMatchObject([
      undefined,
      { for: 'evidence', message: '0 of 100 users with an outcome have been seen of candidate' },
    ]);
    counted.outcomes = warmWins;
    pass(1_000);
    expect(state().candidate?.paused?.reason).toBe('the experiment has ended: warm is better than control');
    expect(weights()['r-2-warm']).toBe(20);
    const { words, arms, outcome, winner } = rolloutOf(state(), 0)?.experiment ?? {};
    expect([outcome, winner]).toEqual(['winner', 'warm']);
    expect(words?.[1]).toMatch(/^warm 80\.0 % resolved of 2,000 users, 1\.\d+x to 1\.\d+x of control \(99\.2%, always valid\)$/);
    expect(arms?.map(({ besideControl }) => besideControl?.verdict)).toEqual(['open', 'better', 'open']);
  });

  it('does not end before its time, however clear it is', () => {
    const { begin, counted, pass, state } = experiment();
    begin();
    counted.outcomes = warmWins;
    pass(hour - 20_000);
    expect(state().candidate?.course?.experiment?.finding).toBeUndefined();
  });

  it('promotes its winner by itself where that is declared, and one release becomes stable', () => {
    const { experiment: declared } = settings;
    const { begin, weights, counted, pass, state, deploy } = experiment({
      ...(declared && { experiment: { ...declared, onWinner: 'promote' } }),
    });
    begin();
    counted.outcomes = warmWins;
    pass(hour);
    expect(weights()).toEqual({ 'r-2-warm': 50, 'r-1': 50 });
    pass(10_000);
    expect([weights(), state().candidate, state().chosen]).toEqual([
      { 'r-2-warm': 100 },
      undefined,
      { arm: 'warm', began: 2, release: 'r-2-warm', of: 'r-2' },
    ]);
    expect(new Set(state().instances.map(({ generation }) => generation))).toEqual(new Set([state().stable]));
    deploy('r-2');
    expect(state().candidate).toBeUndefined();
  });

  it('does not promote anybody where nobody has won', () => {
    const { experiment: declared } = settings;
    const { begin, weights, counted, pass, state } = experiment({ ...(declared && { experiment: { ...declared, onWinner: 'promote' } }) });
    begin();
    counted.outcomes = alike;
    pass(hour);
    expect(state().candidate?.paused?.reason).toBe('the experiment has ended: no arm is shown to be better than control');
    expect(weights()['r-1']).toBe(40);
  });

  it('is the same after every crash: what is stored says all', () => {
    const [one, other] = [experiment(), experiment()];
    for (const place of [one, other]) {
      const forget = (): void => (place === other ? place.forget() : undefined);
      place.begin();
      forget();
      place.counted.safety['r-2-terse'] = harmed;
      place.pass(1_000);
      forget();
      place.counted.outcomes = warmWins;
      place.pass(hour);
      forget();
      place.operate({ type: 'promote', full: false, arm: 'warm' });
      forget();
    }
    expect(other.state()).toEqual(one.state());
  });

  it('keeps what an earlier life of the gateway has counted', () => {
    const { begin, counted, pass, state } = experiment();
    begin();
    counted.outcomes = warmWins;
    pass(1_000);
    counted.epoch = 'two';
    counted.outcomes = [{ shares, units: { 'r-1': 10 }, events: {} }];
    pass(1_000);
    expect(rolloutOf(state(), 0)?.experiment).toMatchObject({ control: { units: 4_010, events: 2_400 } });
  });

  it('that is aborted or superseded leaves nothing of its arms', () => {
    const aborted = experiment();
    aborted.begin();
    aborted.operate({ type: 'abort' });
    expect([aborted.weights(), aborted.state().instances.length]).toEqual([{ 'r-1': 100 }, 10]);
    const superseded = experiment();
    superseded.begin();
    superseded.deploy('r-3');
    expect(superseded.weights()).toEqual({ 'r-3': 5, 'r-1': 95 });
    expect(superseded.state().revisions.map(({ release }) => release)).toEqual(['r-1', 'r-3']);
  });

  it('withdraws an arm that does not get its capacity in time, and one that is what stable is', () => {
    const place = experiment();
    place.deploy('r-2');
    place.trouble.starts = false;
    place.pass(10_000);
    place.pass(8_000);
    expect(place.state().failure?.reason).toContain('made no progress');
    const same = experiment();
    same.replace((state) => ({
      ...state,
      revisions: state.revisions.map((revision) => ({ ...revision, release: 'r-2-warm' })),
    }));
    same.begin();
    expect(same.arms()['warm']?.withdrawn?.reason).toBe('is the same release as control');
    expect(same.weights()).toEqual({ 'r-2': 20, 'r-2-terse': 20, 'r-2-warm': 60 });
  });

  it('is in force only while no arm gets more than its share, unless control cannot answer at all', () => {
    const { begin, states } = experiment();
    begin();
    const state = states.find(({ candidate }) => candidate?.course?.experiment?.arms[0]?.weight === 20);
    const course = state?.candidate?.course;
    if (!state || !course) throw new Error('it has never asked for the shares');
    expect(course.inForceSince).toBeUndefined();
    const isInForce = (weights: readonly number[]): boolean => {
      const route = routeOf(state);
      const backends = route.backends.map((backend, index) => ({ ...backend, weight: weights[index] ?? 0 }));
      const observation = { instances: new Map(), published: { ...route, backends }, inFlight: new Map() };
      const { candidate } = stepExperiment(state, course, stageOf(state, course), observation, 0).state;
      return candidate?.course?.inForceSince !== undefined;
    };
    expect(routeOf(state).backends.map(({ release }) => release)).toEqual(['r-2', 'r-2-warm', 'r-2-terse', 'r-1']);
    expect([isInForce([20, 20, 20, 40]), isInForce([10, 20, 20, 50])]).toEqual([true, false]);
    expect([isInForce([25, 25, 25, 25]), isInForce([1, 1, 1, 0])]).toEqual([false, true]);
  });

  it('stands still while it is paused, and judges its arms all the same', () => {
    const { begin, counted, pass, operate, weights, state } = experiment();
    begin();
    operate({ type: 'pause' });
    counted.outcomes = warmWins;
    counted.safety['r-2-terse'] = harmed;
    pass(2 * hour);
    expect([state().candidate?.course?.experiment?.finding, weights()['r-1']]).toEqual([undefined, 60]);
    operate({ type: 'resume' });
    pass(0);
    expect(state().candidate?.paused?.reason).toContain('warm is better than control');
  });

  it('begins anew when its arms or its share change, and goes on when only its length does', () => {
    const { begin, redeclare, state } = experiment();
    begin();
    const { experiment: declared, ...rest } = settings;
    if (!declared) throw new Error('none declared');
    const { generation } = state().candidate ?? {};
    redeclare('r-2', { ...rest, experiment: { ...declared, forMs: 2 * hour } });
    expect(state().candidate?.generation).toBe(generation);
    redeclare('r-2', { ...rest, experiment: { ...declared, share: 30 } });
    expect(state().candidate?.generation).not.toBe(generation);
    expect(state().candidate?.course).toMatchObject({ stage: 0 });
  });

  it('is one record of the history, with what came of it', () => {
    const { begin, counted, pass, state, operate } = experiment();
    begin();
    const begun = recorded(undefined, state(), 0);
    counted.outcomes = warmWins;
    pass(hour);
    operate({ type: 'promote', full: false, arm: 'warm' });
    const under = recorded(begun, { ...state(), rollouts: begun.rollouts ?? [] }, 0);
    expect(under.rollouts).toMatchObject([{ release: 'r-2', generation: 2 }]);
    pass(10_000);
    const ended = recorded(under, { ...state(), rollouts: under.rollouts ?? [] }, 1);
    expect(ended.rollouts).toMatchObject([
      {
        release: 'r-2-warm',
        outcome: 'completed',
        experiment: {
          outcome: 'winner',
          winner: 'warm',
          promoted: 'warm',
          arms: [{ release: 'r-2' }, { name: 'warm' }, { name: 'terse' }],
        },
      },
    ]);
    expect(ended.rollouts?.[0]?.experiment?.words.at(-1)).toBe('warm is better than control');
  });
});
