import { describe, expect, it } from 'vitest';
import type { ServiceView } from '../api/schemas/service.ts';
import { addResource, applying, controlPlaneFixture, planWith, service, servicesOf } from './testdata/control-plane-fixture.ts';

const candidate = 'r-222222222222';
const deploying: ServiceView = {
  ...service,
  phase: 'deploying',
  candidate,
  weights: [
    { release: candidate, percent: 5, ready: 1 },
    { release: 'r-0123456789ab', percent: 95, ready: 2 },
  ],
  rollout: {
    release: candidate,
    version: '1.1.0',
    from: 'r-0123456789ab',
    strategy: 'canary',
    because: 'minor version, prompt changed: canary 5, 50',
    startedAt: '2026-11-22T12:00:00.000Z',
    by: 'ada',
    why: 'a new prompt',
    weight: 5,
    stages: { current: 1, steps: [5, 50, 100].map((weight) => ({ weight, forMs: 30_000, approval: false })) },
    waits: { for: 'evidence', message: '12 of 200 candidate requests have been seen' },
    verdict: 'inconclusive',
    evidence: ['errors 0.8x to 1.3x of stable (95%, always valid), 12 candidate requests'],
  },
};

const arm = (name: string, release: string, weight: number) => ({
  name,
  release,
  weight,
  ready: weight > 0 ? 1 : 0,
  units: 1_000,
  events: 600,
});

async function world(view: ServiceView = deploying) {
  const fixture = await controlPlaneFixture((made) => ({
    ...applying(planWith('update'), {}, made),
    services: servicesOf([view], made),
  }));
  await addResource(fixture, 'service', 'hello');
  return fixture;
}

describe('rollout status', () => {
  it('shows who gets how many requests, the stage, what it waits for and the evidence in words', async () => {
    const { stdout, code } = await (await world()).sluice('rollout', 'status', 'hello');
    expect(code).toBe(0);
    expect(stdout).toMatch(/candidate +1\.1\.0 r-222222222222, canary, for \S+ by ada \(a new prompt\)/);
    expect(stdout).toMatch(/chosen +minor version, prompt changed: canary 5, 50/);
    expect(stdout).toMatch(/stage +1 of 3: \[5\] > 50 > 100 %/);
    expect(stdout).toMatch(/waits for +evidence: 12 of 200 candidate requests have been seen/);
    expect(stdout).toContain('errors 0.8x to 1.3x of stable (95%, always valid), 12 candidate requests');
    expect(stdout).toMatch(/r-222222222222 +candidate +5 % +1\n.*r-0123456789ab +stable +95 % +2/);
  });

  it('shows each arm of an experiment with its rate, its interval beside control and its safety', async () => {
    const [warm, terse] = ['r-333333333333', 'r-444444444444'] as const;
    const { rollout, ...rest } = deploying;
    const view: ServiceView = {
      ...rest,
      weights: [candidate, warm, 'r-0123456789ab'].map((release) => ({ release, percent: release === warm ? 16.67 : 41.67, ready: 1 })),
      rollout: {
        ...(rollout as NonNullable<typeof rollout>),
        experiment: {
          metric: { attribute: 'agent.outcome', value: 'resolved', goal: 'more' },
          arms: [
            { ...arm('candidate', candidate, 16.67), besideControl: { verdict: 'open' }, safety: { verdict: 'pass', evidence: [] } },
            { ...arm('warm', warm, 16.67), events: 700, besideControl: { low: 1.04, high: 1.2, verdict: 'better' } },
            { ...arm('terse', terse, 0), withdrawn: 'errors got worse than is tolerated' },
          ],
          control: { units: 3_000, events: 1_810 },
          outcome: 'winner',
          winner: 'warm',
          words: [],
        },
      },
    };
    const { stdout } = await (await world(view)).sluice('rollout', 'status', 'hello');
    expect(stdout).toMatch(/experiment +more agent\.outcome=resolved: warm has won/);
    expect(stdout).toMatch(/terse was withdrawn: errors got worse than is tolerated/);
    expect(stdout).toMatch(/r-333333333333 +arm warm +16\.67 % +1/);
    expect(stdout).toMatch(/candidate +r-222222222222 +16\.67 % +1 +1000 +60\.0 % +unknown +pass/);
    expect(stdout).toMatch(/warm +r-333333333333 +16\.67 % +1 +1000 +70\.0 % +1\.04x to 1\.2x, better +nothing counted yet/);
    expect(stdout).toMatch(/terse +r-444444444444 .* withdrawn/);
    expect(stdout).toMatch(/control +r-0123456789ab +41\.67 % +1 +3000 +60\.3 %/);
  });

  it('shows what is copied, and what the candidate is compared with', async () => {
    const copies = { percent: 100, methods: ['GET', 'HEAD'] };
    const steps = [{ weight: 0, mirror: copies, forMs: 0, approval: false }, ...(deploying.rollout?.stages?.steps ?? [])];
    const rollout = deploying.rollout && {
      ...deploying.rollout,
      copies,
      baseline: { instances: 2, ready: 1 },
      stages: { current: 1, steps },
    };
    const weights = [...deploying.weights, { release: 'r-0123456789ab', percent: 5, ready: 1, baseline: true as const }];
    const { stdout } = await (await world({ ...deploying, weights, ...(rollout && { rollout }) })).sluice('rollout', 'status', 'hello');
    expect(stdout).toMatch(/stage +1 of 4: \[copies of 100\] > 5 > 50 > 100 %/);
    expect(stdout).toMatch(/copies +100 % of the requests \(GET, HEAD\); nobody gets its answers/);
    expect(stdout).toMatch(/compared with +2 fresh instances \(1 ready\) of stable/);
    expect(stdout).toMatch(/r-0123456789ab +baseline +5 % +1/);
  });

  it('that is watched ends with the rollout, with 1 for one that was taken back', async () => {
    const numbers = 'errors 4x to 9x of stable (95%, always valid)';
    const fixture = await world({
      ...service,
      phase: 'failed',
      failure: { release: candidate, reason: `errors got worse: ${numbers}`, evidence: [numbers, 'errors got worse'] },
    });
    const { stdout, code } = await fixture.sluice('rollout', 'status', 'hello', '-w');
    expect(code).toBe(1);
    expect(stdout).toMatch(/last +r-222222222222 failed after 42s, begun by ada/);
    // Its numbers once, under the reason.
    expect(stdout).toMatch(/taken back +r-222222222222: errors got worse\n +errors 4x to 9x of stable/);
    expect(stdout.split(numbers)).toHaveLength(2);
  });

  it('lists every rollout with its end', async () => {
    const { stdout } = await (await world()).sluice('rollout', 'history', 'hello');
    expect(stdout).toMatch(/r-222222222222 +1\.1\.0 +canary +failed +42s +ada +errors got worse than is tolerated/);
  });
});

describe('the buttons of a rollout', () => {
  it.each([
    [['promote'], { type: 'promote', full: false, from: { release: candidate, stage: 1 } }],
    [['promote', '--full'], { type: 'promote', full: true, from: { release: candidate, stage: 1 } }],
    [['promote', '--from', '2'], { type: 'promote', full: false, from: { release: candidate, stage: 2 } }],
    [['pause'], { type: 'pause' }],
    [['resume'], { type: 'resume' }],
    [['abort'], { type: 'abort' }],
    [['retry'], { type: 'retry' }],
    [['rollback'], { type: 'rollback' }],
    [['rollback', '--to', candidate], { type: 'rollback', to: candidate }],
  ])('%j is done, and the audit log says who and why', async ([word = '', ...options], action) => {
    const fixture = await world();
    const { code, stdout } = await fixture.sluice('rollout', word, 'hello', ...options, '--reason', 'because');
    expect([code, fixture.calls]).toEqual([0, [`${JSON.stringify(action)} default/hello by admin: because`]]);
    expect(stdout).toContain('default/service/hello ');
    expect((await fixture.audit.read(0, 9)).at(-1)).toMatchObject({
      action: `rollout.${word}`,
      actor: { name: 'admin' },
      target: 'default/service/hello',
      reason: 'because',
      outcome: 'succeeded',
    });
  });
});

it('names the releases there are when one to go back to is not among them', async () => {
  const { code, stderr } = await (await world()).sluice('rollout', 'rollback', 'hello', '--to', '9.9.9');
  expect([code, stderr]).toEqual([1, expect.stringContaining('unknown_release')]);
});

it('says of a stage that is over that it is', async () => {
  const at2 = { ...deploying, rollout: deploying.rollout && { ...deploying.rollout, stages: { current: 2, steps: [] } } } as ServiceView;
  const { code, stdout } = await (await world(at2)).sluice('rollout', 'promote', 'hello', '--from', '1');
  expect([code, stdout]).toEqual([0, expect.stringContaining('is past stage 1 already')]);
});

describe('deploy', () => {
  it('plans and applies just the service, with what is said of it instead', async () => {
    const fixture = await world();
    const { code, stdout } = await fixture.sluice('deploy', 'hello', '--env', 'LEVEL=debug', '--source', 'other');
    expect([code, stdout.includes('1 updated')]).toEqual([0, true]);
    expect(fixture.orders).toMatchObject([
      { targets: ['service/hello'], overrides: { service: 'hello', env: { LEVEL: 'debug' }, source: 'other' } },
    ]);
  });

  it('takes the code from an image as from a folder, and not from both', async () => {
    const fixture = await world();
    const { code } = await fixture.sluice('deploy', 'hello', '--image', 'registry/hello:2');
    expect([code, fixture.orders]).toMatchObject([0, [{ overrides: { service: 'hello', image: 'registry/hello:2' } }]]);
    const both = await fixture.sluice('deploy', 'hello', '--image', 'registry/hello:2', '--source', 'other');
    expect([both.code, both.stderr.includes('not from both')]).toEqual([64, true]);
  });
});
