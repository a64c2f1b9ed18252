import { expect, it } from 'vitest';
import { removed, restarted } from '../desired-state.ts';
import type { RolloutSettings, ServiceState } from '../service-state.ts';
import { recorded } from '../rollout-record.ts';
import { stage, world } from '../testdata/staged-world.ts';
import { transitionsOf } from './transitions.ts';

const metric = { attribute: 'outcome', value: 'resolved', goal: 'more' } as const;
const experiment = { metric, arms: ['warm'], share: 40, forMs: 60_000, minUnits: 10, alpha: 0.05, onWinner: 'hold' } as const;

/** Every transition of what happens in a world, in words. */
function telling(settings: Partial<RolloutSettings>) {
  const place = world(settings);
  let last: ServiceState | undefined;
  let seen = 0;
  const ids: string[] = [];
  const told = (): readonly string[] => {
    const words: string[] = [];
    for (const state of [...place.states.slice(seen), place.state()]) {
      const next = recorded(
        last,
        { ...state, ...(last?.rollouts && { rollouts: last.rollouts }) },
        state.candidate?.startedAt ?? last?.candidate?.startedAt ?? 0,
      );
      const found = transitionsOf(last, next);
      words.push(...found.map(({ event, generation, message }) => `${generation} ${event}: ${message}`));
      ids.push(...found.map(({ generation, what }) => `${generation} ${what}`));
      last = next;
    }
    seen = place.states.length;
    return words;
  };
  return { ...place, told, ids: () => ids, records: () => last?.rollouts ?? [] };
}

it('are told from the beginning to the end for every way there is: a first deployment, a restart, a release that is rolled, a return', () => {
  const { told, deploy, operate, replace } = telling({ strategy: 'rolling' });
  expect(told()).toEqual(['1 started: is being rolled out', '1 completed: is in use']);
  replace((state) => restarted(state, 0) ?? state);
  expect(told()).toEqual(['2 started: is being rolled out, from r-1', '2 completed: is in use']);
  deploy('r-2');
  expect(told()).toEqual(['3 started: is being rolled out, from r-1', '3 completed: is in use']);
  operate({ type: 'rollback' });
  expect(told()).toEqual(['4 started: is being returned to, from r-2', '4 rolled_back: is in use again']);
});

it('say once that a rollout has ended with the service it was of, also when somebody wants the service again before it is gone', () => {
  const { told, deploy, replace, records } = telling({ strategy: 'canary', stages: [stage(5, 10_000)] });
  deploy('r-2');
  told();
  replace(removed);
  expect(told()).toEqual(['2 superseded: is not taken into use: the service is being removed']);
  deploy('r-2');
  expect(told()[0]).toBe('3 started: is being rolled out, from r-1');
  expect(records().map(({ generation, outcome }) => [generation, outcome])).toEqual([
    [3, undefined],
    [2, 'superseded'],
    [1, 'completed'],
  ]);
});

it('say when what was held goes on, and not only that it was held', () => {
  const { told, deploy, operate } = telling({ strategy: 'canary', stages: [stage(5, 10_000), stage(50, 0, true)] });
  deploy('r-2');
  operate({ type: 'pause' });
  operate({ type: 'resume' });
  expect(told().slice(-3)).toEqual([
    '2 stage: gets 5 % of the requests: stage 1 of 3',
    '2 held: is held: paused by ada',
    '2 resumed: goes on: it was held, paused by ada',
  ]);
  operate({ type: 'promote', full: false });
  operate({ type: 'promote', full: false });
  // An approval that is given is told by what follows from it.
  expect(told().map((line) => line.split(':')[0])).toEqual(['2 stage', '2 approval_needed', '2 stage', '2 completed']);
});

it('of an experiment say which arm goes on, and how that one ends', () => {
  const way: Partial<RolloutSettings> = { strategy: 'canary', affinity: { by: 'user' }, stages: [stage(5, 1_000)], experiment };
  const { told, deploy, pass, operate } = telling(way);
  deploy('r-2');
  pass(1_000);
  told();
  operate({ type: 'promote', full: false, arm: 'warm' });
  const words = told();
  expect(words[0]).toBe('2 resumed: goes on as r-2-warm, the arm warm of its experiment');
  expect(words.at(-1)).toBe('2 completed: is in use');
});

it('of two returns to the same set that is kept ready are told apart, and neither changes the record of the other', () => {
  const { told, ids, deploy, operate, records, pass } = telling({ strategy: 'blue_green', fullSet: true, keepPreviousMs: 60_000 });
  for (const release of ['r-2', 'r-3']) {
    pass(1_000);
    deploy(release);
    pass(1_000);
    operate({ type: 'rollback' });
  }
  const words = told().filter((line) => line.startsWith('1 '));
  expect(words).toHaveLength(2 + 2 * 2);
  expect(new Set(ids()).size).toBe(ids().length);
  const own = records().filter(({ generation }) => generation === 1);
  expect(own.map(({ strategy, endedAt, outcome }) => [strategy, endedAt, outcome])).toEqual([
    ['rollback', 4_000, 'completed'],
    ['rollback', 2_000, 'completed'],
    ['blue_green', 0, 'completed'],
  ]);
});
