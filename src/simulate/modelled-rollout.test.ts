import { describe, expect, it } from 'vitest';
import { parseFault } from './fault.ts';
import { modelRollout } from './modelled-rollout.ts';
import type { Moment, Question } from './question.ts';
import { parseSourceAnswer } from './source-answer.ts';

const canary: Question['service']['rollout'] = {
  strategy: 'canary',
  maxSurge: 1,
  maxUnavailable: 0,
  progressDeadlineMs: 60_000,
  onFailure: 'rollback',
  stages: [
    { weight: 10, forMs: 20_000, approval: false },
    { weight: 50, forMs: 20_000, approval: true },
  ],
  analysis: {
    rules: {
      alpha: 0.05,
      errors: { tolerate: 1 },
      latency: { quantiles: [0.5, 0.95] },
      decisions: { attribute: 'decision' },
      minUnits: 50,
    },
    latencyTolerance: 1.2,
    noData: 'hold',
  },
};
const question = (fault: string, changed: Partial<Question['service']['rollout']> = {}): Question => ({
  service: {
    name: 'agent',
    replicas: 2,
    drainMs: 5_000,
    health: { intervalMs: 1_000, startPeriodMs: 10_000 },
    rollout: { ...canary, ...changed },
  },
  fault: parseFault(fault),
  perSecond: 100,
  users: 6_000,
  baselineErrors: 0.005,
  baselineMs: 250,
  durationMs: 300_000,
});

describe('a modelled rollout', () => {
  it.each([
    ['error_rate=0.2', true, 'errors got worse than is tolerated'],
    ['latency=3x', true, 'latency got worse than is tolerated'],
    ['decisions=shift', true, 'decisions got worse than is tolerated'],
    ['crash=5s', false, 'keeps failing: it ended with exit code 3'],
    ['never_ready', false, 'was not ready within 10 s'],
  ])('with %s is taken back', async (fault, byEvidence, reason) => {
    const course = await modelRollout(question(fault), 1);
    expect(course).toMatchObject({ outcome: 'taken_back', byEvidence });
    expect(course.reason).toContain(reason);
    expect(course.endedAfterMs).toBeLessThan(60_000);
    expect(course.usersExposed).toBeLessThanOrEqual(course.requestsExposed);
  });

  it('without a fault comes into use, its step approved when its time is over, and costs the instances beside stable', async () => {
    const timeline: Moment[] = [];
    const course = await modelRollout(question('none'), 2, (moment) => timeline.push(moment));
    expect(course).toMatchObject({ outcome: 'completed', byEvidence: false });
    const said = timeline.map(({ what }) => what);
    expect(said).toContain('the candidate is held: waits for approval');
    expect(said.filter((line, index) => said.indexOf(line) !== index)).toEqual([]);
    expect(timeline.at(-1)?.what).toBe('the candidate is in use');
    expect(course.endedAfterMs).toBeGreaterThan(40_000);
    expect(course.endedAfterMs).toBeLessThan(60_000);
    // One instance more for about 40 s, two at the end.
    expect(course.instanceMinutes).toBeGreaterThan(0.6);
    expect(course.instanceMinutes).toBeLessThan(1.2);
    expect(course.usersExposed).toBeGreaterThan(5_800);
  });

  it('is held for somebody to look at where that is declared', async () => {
    const course = await modelRollout(question('error_rate=0.2', { onFailure: 'hold' }), 1);
    expect(course).toMatchObject({ outcome: 'held', byEvidence: true });
  });

  it('hears what a further source of evidence says, which passes unless told otherwise', async () => {
    const slo = {
      name: 'slo',
      ask: { type: 'command' as const, command: ['check'] },
      intervalMs: 5_000,
      timeoutMs: 1_000,
      failures: 0,
      errors: 1,
    };
    const asked = question('none', { analysis: { ...(canary.analysis as NonNullable<typeof canary.analysis>), sources: [slo] } });
    expect(await modelRollout(asked, 1)).toMatchObject({ outcome: 'completed' });
    const failing = { ...asked, fault: { sources: [parseSourceAnswer('slo=fail@15s')] } };
    const course = await modelRollout(failing, 1);
    expect(course).toMatchObject({ outcome: 'taken_back', byEvidence: true, reason: expect.stringContaining('slo failed') });
    expect(course.endedAfterMs).toBeGreaterThanOrEqual(15_000);
    expect(course.endedAfterMs).toBeLessThan(25_000);
    expect(() => parseSourceAnswer('slo=maybe')).toThrow("--source 'slo=maybe' is not NAME=pass|fail|no_data|error");
  });

  it('that nothing judges exposes everybody to the end of the time', async () => {
    const { stages: _, analysis: __, ...rolling } = { ...canary, strategy: 'rolling' };
    const asked = question('error_rate=0.2');
    const course = await modelRollout({ ...asked, service: { ...asked.service, rollout: rolling } }, 1);
    expect(course).toMatchObject({ outcome: 'completed' });
    expect(course.usersExposed).toBeGreaterThan(5_800);
    expect(course.failedRequests / course.requestsExposed).toBeCloseTo(0.2, 1);
    expect(course.requestsExposed).toBeGreaterThan(25_000);
  });

  it('goes the same way for the same seed, and another for another', async () => {
    const [one, same, other] = await Promise.all([3, 3, 4].map((seed) => modelRollout(question('error_rate=0.2'), seed)));
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
  });
});
