import { describe, expect, it } from 'vitest';
import { digestJson } from '../../digest/digest.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { playSeed, playSeeds, together } from './campaign.ts';
import { shrink } from './shrink.ts';
import { randomScript } from './random-script.ts';
import { play, type Step } from './script.ts';
import { wilson } from './wilson.ts';

/** As many as a second takes; `npm run simulate:rollouts` plays 10,000. */
const stories = 14;
/** Among them is a story whose candidate is taken back by evidence. */
const firstSeed = 144;

const backends = (change: (backend: ServiceRoute['backends'][number]) => ServiceRoute['backends'][number]) => (route: ServiceRoute) => ({
  ...route,
  backends: route.backends.map(change),
});

const users = (route: ServiceRoute): ServiceRoute => {
  const isLater = route.backends.some(({ release, weight }) => release === 'one' && weight === 50);
  return isLater ? { ...route, backends: route.backends.toReversed() } : route;
};

async function traceOf(seed: number): Promise<string> {
  const lines: string[] = [];
  await playSeed(seed, (line) => lines.push(line));
  return digestJson(lines);
}

describe('random stories of rollouts', () => {
  it('keep every invariant', async () => {
    const first = await playSeeds(firstSeed, stories);
    expect(first.broken.map(({ seed, violations }) => `npm run simulate:rollouts -- --replay ${seed}   # ${violations[0]}`)).toEqual([]);
    expect(first.tally.rollouts).toBeGreaterThan(stories);
    for (const happened of ['completed', 'failed', 'superseded', 'crashes', 'takenBack', 'judgedAlike'] as const) {
      expect([happened, first.tally[happened] > 0]).toEqual([happened, true]);
    }
    expect(together([first, first])).toMatchObject({ stories: 2 * stories, tally: { rollouts: 2 * first.tally.rollouts } });
  });

  it('go the same way to the last effect whenever they are played', async () => {
    const traces: string[] = [];
    for (const seed of [1, 2, 3, 5]) {
      traces.push(await traceOf(seed));
      expect(await traceOf(seed)).toBe(traces.at(-1));
    }
    expect(new Set(traces).size).toBe(4);
  });

  it('are the same for the same seed and of every kind', () => {
    expect(randomScript(5)).toEqual(randomScript(5));
    expect(new Set([1, 2, 3, 4].map((seed) => randomScript(seed).kind))).toEqual(new Set(['calm', 'judged', 'wild']));
  });
});

it('a story that breaks an invariant is reduced to what it breaks it by', async () => {
  const deployment = { type: 'deploy', release: 'two', replicas: 3, maxSurge: 1 } as const;
  const steps: readonly Step[] = [
    { action: deployment, pause: 5_000 },
    { action: { type: 'scale', replicas: 2 }, pause: 1_000, crash: { effect: 3, moment: 'late' } },
    { action: { type: 'suspend' }, pause: 5_000, crash: { effect: 1, moment: 'after' } },
    { action: { type: 'resume' }, pause: 5_000 },
  ];
  const options = { seed: 1, perSecond: 0, users: 50, restMs: 10_000, isTold: false };
  const found = await shrink({ kind: 'wild', steps, options, isUnbroken: true });
  expect(found?.violations[0]).toContain('requests found no instance');
  expect(found?.story.steps.map(({ action, crash }) => [action.type, crash])).toEqual([
    ['deploy', undefined],
    ['suspend', undefined],
  ]);
});

describe('the invariants notice a gateway that is told', () => {
  const canary: readonly Step[] = [
    { action: { type: 'deploy', release: 'two', replicas: 2, maxSurge: 1 }, pause: 20_000 },
    {
      action: {
        type: 'deploy',
        release: 'one',
        replicas: 2,
        maxSurge: 1,
        strategy: 'canary',
        rollout: {
          stages: [
            { weight: 10, forMs: 2_000, approval: false },
            { weight: 50, forMs: 2_000, approval: false },
          ],
          affinity: { by: 'user' },
        },
      },
      pause: 3_000,
    },
    { action: { type: 'operate', action: { type: 'abort' } }, pause: 10_000 },
  ];
  const violationsOf = async (tamper?: (route: ServiceRoute) => ServiceRoute): Promise<string> => {
    const { violations } = await play(canary, createMemoryStore(), tamper ? { tamper } : {});
    return [...new Set(violations.map((what) => what.slice(0, 1)))].toSorted().join();
  };
  it('what it should be told: nothing', async () => expect(await violationsOf()).toBe(''));

  it('that what drains gets requests', async () => {
    const active = backends((backend) => ({
      ...backend,
      instances: backend.instances.map((instance) => ({ ...instance, state: 'active' as const })),
    }));
    expect(await violationsOf(active)).toContain('1');
  });

  it('that a candidate has more than its stage, or something after it was withdrawn', async () => {
    expect(await violationsOf(backends((backend) => (backend.release === 'one' ? { ...backend, weight: 60 } : backend)))).toContain('2');
  });

  it('of a larger share than it sends', async () => {
    const less = backends((backend) => (backend.release === 'one' ? { ...backend, weight: backend.weight / 2 } : backend));
    const { violations } = await play(canary, createMemoryStore(), { tamper: less });
    expect(violations).toContain('2: one was taken to get 10.0 % and gets 5.3 %');
  });

  it('other users for the candidate than before', async () => {
    expect(await violationsOf(users)).toContain('7');
  });
});

it('an interval of a share is Wilson’s', () => {
  expect(wilson(10, 10)).toEqual({ share: 1, low: expect.closeTo(0.722, 3), high: expect.closeTo(1) });
  expect(wilson(0, 100)).toEqual({ share: 0, low: expect.closeTo(0), high: expect.closeTo(0.037, 3) });
});
