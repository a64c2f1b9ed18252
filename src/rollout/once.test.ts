import { expect, it } from 'vitest';
import { once } from './once.ts';
import { operated, type RolloutAction } from './operate.ts';
import { stage, world } from './testdata/staged-world.ts';
import type { ServiceState } from './service-state.ts';

const byHand = { strategy: 'canary', stages: [stage(5, 0, true), stage(25, 0, true), stage(50, 0, true)] };
const promote = { type: 'promote', full: false } as const;

const asked = (state: ServiceState, action: RolloutAction, by: string, key?: string): ServiceState =>
  once(state, { by, key }, action, (before) => operated(before, action, by, 0));

it('does what is asked for under a key once, whatever has happened since, and forgets no key by a restart', () => {
  const { deploy, state } = world(byHand);
  deploy('r-2');
  const first = asked(state(), promote, 'ada', 'k-1');
  expect(first.candidate?.course?.stage).toBe(1);
  const stored = JSON.parse(JSON.stringify(first)) as ServiceState;
  expect(asked(stored, promote, 'ada', 'k-1')).toBe(stored);
  const ended = operated(stored, { type: 'abort' }, 'eve', 0);
  expect(asked(ended, promote, 'ada', 'k-1')).toBe(ended);
});

it('takes another key, the key of another asker, and none at all for another wish', () => {
  const { deploy, state } = world(byHand);
  deploy('r-2');
  const first = asked(state(), promote, 'ada', 'k-1');
  expect(asked(first, promote, 'ada', 'k-2').candidate?.course?.stage).toBe(2);
  expect(asked(first, promote, 'eve', 'k-1').candidate?.course?.stage).toBe(2);
  expect(asked(first, promote, 'ada').candidate?.course?.stage).toBe(2);
});

it('refuses another wish under the same key, and remembers the last fifty', () => {
  const { deploy, state } = world(byHand);
  deploy('r-2');
  const first = asked(state(), { type: 'pause' }, 'ada', 'k-0');
  expect(() => asked(first, { type: 'abort' }, 'ada', 'k-0')).toThrow('was used');
  let later = first;
  for (let number = 1; number <= 50; number += 1) later = asked(later, { type: 'pause' }, 'ada', `k-${number}`);
  expect([later.asked?.length, later.asked?.at(-1)?.key]).toEqual([50, 'k-1']);
});

it('returns once, also when it is asked twice without a key', () => {
  const { deploy, operate, state } = world({ strategy: 'rolling' });
  deploy('r-2');
  operate({ type: 'rollback', to: 'r-1' });
  const back = state();
  expect([back.candidate, operated(back, { type: 'rollback', to: 'r-1' }, 'ada', 0)]).toEqual([undefined, back]);
  const under = operated(back, { type: 'rollback' }, 'ada', 0);
  expect(under.candidate?.urgent).toBe(true);
  for (const again of [{ type: 'rollback' }, { type: 'rollback', to: 'r-2' }] as const) {
    expect(operated(under, again, 'ada', 0)).toBe(under);
  }
});
