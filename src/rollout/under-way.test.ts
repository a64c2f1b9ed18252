import { expect, it } from 'vitest';
import { newService } from './desired-state.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import { canary, stage, world } from './testdata/staged-world.ts';
import { begunOf, endOf, isUnderWay } from './under-way.ts';

const byHand = { ...canary, stages: [stage(5, 0, true)] };
const ready = { outcome: 'ready' };

it('by stages is under way from its beginning, however long its instances take: a later release is not held up by it', () => {
  const { deploy, state, route, trouble, operate } = world(byHand);
  expect([begunOf(true)(state(), route()), begunOf(false)(state(), route())]).toEqual([ready, ready]);
  trouble.starts = false;
  deploy('r-2');
  expect([isUnderWay(state(), true), begunOf(true)(state(), route())]).toEqual([true, { outcome: 'under way' }]);
  deploy('r-3');
  expect([state().candidate?.generation, isUnderWay(state(), true)]).toEqual([3, true]);
  operate({ type: 'abort' });
  expect([isUnderWay(state(), true), begunOf(true)(state(), route())]).toEqual([
    false,
    { outcome: 'failed', generation: 3, reason: 'aborted by ada', log: '' },
  ]);
});

it('without stages is under way when nothing in the run comes after it, or when somebody holds it', () => {
  const { deploy, state, route, trouble, operate } = world({ strategy: 'rolling' });
  trouble.starts = false;
  deploy('r-2');
  expect([begunOf(true)(state(), route()), begunOf(false)(state(), route())]).toEqual([undefined, { outcome: 'under way' }]);
  operate({ type: 'pause' });
  expect(begunOf(true)(state(), route())).toEqual({ outcome: 'under way' });
});

it('is the work of the run while there is nothing else: a first release that does not start is its failure', () => {
  const { state, route, trouble, replace } = world(canary);
  trouble.starts = false;
  replace(() => newService({ ...desiredRelease('r-1', 'r-1', { replicas: 1 }) }, { uid: 'b2', token: state().token }, 0));
  expect([state().stable, begunOf(false)(state(), route())]).toEqual([undefined, undefined]);
});

it('ends for the one who waits for it as its own generation ends, whatever comes after', () => {
  const { deploy, state, route, operate } = world(byHand);
  const end = (generation: number) => endOf(generation)(state(), route());
  deploy('r-2');
  expect(end(2)).toBeUndefined();
  deploy('r-3');
  expect([end(2), end(3)]).toEqual([{ outcome: 'superseded' }, undefined]);
  operate({ type: 'promote', full: true });
  expect(end(3)).toEqual(ready);
  deploy('r-4');
  expect([end(3), end(4)]).toEqual([ready, undefined]);
  operate({ type: 'abort' });
  expect(end(4)).toEqual({ outcome: 'failed', generation: 4, reason: 'aborted by ada', log: '' });
  expect(endOf(4)(undefined, route())).toEqual({ outcome: 'removed' });
});
