import { expect, it } from 'vitest';
import { blueGreen, canary, stage, world } from './testdata/staged-world.ts';
import { begunOf, endOf, isUnderWay } from './under-way.ts';

const byHand = { ...canary, stages: [stage(5, 0, true)] };
const ready = { outcome: 'ready' };

it('is under way from its first stage on, or while somebody holds it, and not before', () => {
  const { deploy, state, route, trouble, operate } = world(byHand);
  expect(begunOf(state(), route())).toEqual(ready);
  trouble.starts = false;
  deploy('r-2');
  expect([isUnderWay(state()), begunOf(state(), route())]).toEqual([false, undefined]);
  operate({ type: 'pause' });
  expect([isUnderWay(state()), begunOf(state(), route())]).toEqual([true, { outcome: 'under way' }]);
  trouble.starts = true;
  operate({ type: 'resume' });
  deploy('r-3');
  expect(begunOf(state(), route())).toEqual({ outcome: 'under way' });
});

it('is never under way without stages: instances that are being replaced are the work of the run', () => {
  const { deploy, state, route, trouble } = world({ strategy: 'rolling' });
  trouble.starts = false;
  deploy('r-2');
  expect(begunOf(state(), route())).toBeUndefined();
  const switched = world(blueGreen);
  switched.deploy('r-2');
  expect([isUnderWay(switched.state()), begunOf(switched.state(), switched.route())]).toEqual([false, ready]);
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
