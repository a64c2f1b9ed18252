import { describe, expect, it } from 'vitest';
import { parseFault } from './fault.ts';
import { loadOn } from './load-of-question.ts';
import { modelRollout } from './modelled-rollout.ts';
import type { Moment, Question } from './question.ts';

const scaling = { min: 1, max: 8, latencyMs: 400 };
const asked = { replicas: 2, perSecond: 50, baselineMs: undefined, capacity: undefined };

const question = (fault: string, changed: Partial<Question> = {}): Question => ({
  service: {
    name: 'chat',
    replicas: 2,
    drainMs: 5_000,
    health: { intervalMs: 1_000, startPeriodMs: 10_000 },
    scaling,
    rollout: { strategy: 'rolling', maxSurge: 1, maxUnavailable: 0, progressDeadlineMs: 60_000 },
  },
  fault: parseFault(fault),
  perSecond: 50,
  users: 3_000,
  baselineErrors: 0.005,
  durationMs: 180_000,
  ...loadOn(scaling, asked),
  ...changed,
});

describe('a rollout of a service whose load decides how many instances there are', () => {
  it('leaves their number alone with a sound release', async () => {
    const { replicas, outcome } = await modelRollout(question('none'), 1);
    expect([outcome, replicas]).toEqual(['completed', { first: 2, most: 2 }]);
  });

  it('has more of them for a slow one, says why, and counts what they cost', async () => {
    const timeline: Moment[] = [];
    const { replicas, instanceMinutes } = await modelRollout(question('latency=2x'), 1, (moment) => timeline.push(moment));
    expect(replicas).toEqual({ first: 2, most: 8 });
    expect(timeline.find(({ what }) => what.includes('scaled'))?.what).toMatch(
      /^chat is scaled from 2 to \d: latency p95 \d+ ms over 400 ms$/,
    );
    expect(instanceMinutes).toBeGreaterThan(6);
  });

  it('has as many as the traffic needs before the rollout begins, and answers slow down where there cannot be more', async () => {
    const busy = await modelRollout(question('none', { capacity: 15 }), 1);
    expect(busy.replicas.first).toBeGreaterThanOrEqual(4);
    const rolling = question('none').service.rollout;
    const analysis = {
      rules: { alpha: 0.05, latency: { quantiles: [0.5] }, minUnits: 20 },
      latencyTolerance: 1.2,
      noData: 'hold' as const,
    };
    const stages = [{ weight: 50, forMs: 60_000, approval: false }];
    const few: Question['service'] = {
      ...question('none').service,
      scaling: undefined,
      rollout: { ...rolling, strategy: 'canary', stages, analysis },
    };
    // A slowdown that is tolerated by itself is more than the one instance can carry: it falls behind more and more.
    const asked = { service: few, baselineMs: 80 };
    expect(await modelRollout(question('latency=1.15x', { ...asked, capacity: 100 }), 1)).toMatchObject({ outcome: 'completed' });
    const overloaded = await modelRollout(question('latency=1.15x', { ...asked, capacity: 28 }), 1);
    expect([overloaded.outcome, overloaded.byEvidence]).toEqual(['taken_back', true]);
  });
});

describe('what is not said of the load', () => {
  it('is chosen so that what is declared is at rest', () => {
    expect(loadOn(scaling, asked)).toEqual({ capacity: 41.7, baselineMs: expect.closeTo(75.9, 0) });
    expect(loadOn({ min: 5, max: 8, concurrency: 4 }, asked)).toEqual({ capacity: 16.7, baselineMs: 250 });
    expect(loadOn(undefined, asked)).toEqual({ baselineMs: 250 });
    expect(loadOn(undefined, { ...asked, capacity: 10, baselineMs: 40 })).toEqual({ capacity: 10, baselineMs: 40 });
  });
});
