import { expect, it } from 'vitest';
import { operated } from './operate.ts';
import { stage, world } from './testdata/staged-world.ts';

const byHand = { strategy: 'canary', stages: [stage(5, 0, true), stage(25, 0, true), stage(50, 0, true)] };

it('of a stage, sent twice, goes one stage and not two', () => {
  const { deploy, operate, weights, state } = world(byHand);
  deploy('r-2');
  const sent = { type: 'promote', full: false, from: { release: 'r-2', stage: 1 } } as const;
  operate(sent);
  const once = state();
  operate(sent);
  expect([weights(), state().candidate?.course?.stage]).toEqual([{ 'r-2': 25, 'r-1': 75 }, 1]);
  expect(operated(once, sent, 'eve', 0)).toBe(once);
  operate({ type: 'promote', full: false, from: { release: 'r-2', stage: 2 } });
  expect(weights()).toEqual({ 'r-2': 50, 'r-1': 50 });
});

it('is one also before the stage it leads to is in force', () => {
  const { deploy, operate, state, trouble } = world(byHand);
  deploy('r-2');
  trouble.starts = false;
  for (let times = 0; times < 3; times += 1) operate({ type: 'promote', full: false, from: { release: 'r-2', stage: 1 } });
  expect(state().candidate?.course?.stage).toBe(1);
});

it('to the whole is the whole from whichever stage it was asked for, and nothing more once it is in use', () => {
  const { deploy, operate, weights, state } = world(byHand);
  deploy('r-2');
  operate({ type: 'promote', full: false, from: { release: 'r-2', stage: 1 } });
  const whole = { type: 'promote', full: true, from: { release: 'r-2', stage: 1 } } as const;
  operate(whole);
  expect([weights(), state().candidate]).toEqual([{ 'r-2': 100 }, undefined]);
  const done = state();
  for (const again of [whole, { ...whole, full: false }]) expect(operated(done, again, 'ada', 0)).toBe(done);
});

it('is refused when another candidate is there than was seen, or the same one has begun anew', () => {
  const { deploy, operate, state } = world(byHand);
  deploy('r-2');
  const seen =
    (release: string, number: number, full = false) =>
    () =>
      operate({ type: 'promote', full, from: { release, stage: number } });
  expect(seen('r-9', 1)).toThrow('r-2 is at stage 1, and r-9 at stage 1 was to be promoted');
  expect(seen('r-9', 1, true)).toThrow('is not what you have seen');
  expect(seen('r-2', 2)).toThrow('is not what you have seen');
  expect(state().candidate?.course?.stage).toBe(0);
  operate({ type: 'abort' });
  expect(seen('r-2', 1)).toThrow("No release of 'default/service/agent' is being rolled out");
});

it('that does not say from where goes one stage each time, as before', () => {
  const { deploy, operate, weights } = world(byHand);
  deploy('r-2');
  operate({ type: 'promote', full: false });
  operate({ type: 'promote', full: false });
  expect(weights()).toEqual({ 'r-2': 50, 'r-1': 50 });
});

it('is what gives an approval: nothing is paused that could be resumed', () => {
  const { deploy, operate, state } = world(byHand);
  deploy('r-2');
  expect(() => operate({ type: 'resume' })).toThrow('is not paused: it waits until somebody agrees to it');
  expect(state().candidate?.paused?.reason).toBe('waits for approval');
});
