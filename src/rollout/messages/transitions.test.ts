import { expect, it } from 'vitest';
import { newService } from '../desired-state.ts';
import { recorded } from '../rollout-record.ts';
import type { Candidate, ServiceState } from '../service-state.ts';
import { desiredRelease } from '../simulation/world.ts';
import { transitionsOf } from './transitions.ts';

it('an arm that goes on alone begins no other rollout, and its end is told as the end of the one it is of', () => {
  const made = newService(desiredRelease('two', 'second', { strategy: 'experiment' }), { uid: 'a', token: { sealed: '', digest: '' } }, 0);
  const begun: ServiceState = { ...recorded(undefined, made, 0), stable: 0 };
  const candidate = begun.candidate as Candidate;
  const promoted: ServiceState = { ...begun, candidate: { ...candidate, generation: 4, began: candidate.generation, arm: 'warm' } };
  expect(transitionsOf(begun, promoted)).toEqual([]);
  const { candidate: _, ...rest } = promoted;
  const completed = recorded(promoted, { ...rest, stable: 4 }, 1_000);
  expect(transitionsOf(promoted, completed)).toMatchObject([{ event: 'completed', generation: candidate.generation }]);
  expect(transitionsOf(promoted, { ...promoted, mode: 'removed' })).toMatchObject([
    { event: 'superseded', generation: candidate.generation },
  ]);
});

it('a set that is returned to under its old generation has a record and an occurrence of its own each time', () => {
  const made = newService(desiredRelease('two', 'second'), { uid: 'a', token: { sealed: '', digest: '' } }, 0);
  const begun = recorded(undefined, made, 0);
  const { candidate, ...rest } = begun;
  const inUse = recorded(begun, { ...rest, stable: 1 }, 1_000);
  const again: Candidate = { ...(candidate as Candidate), startedAt: 5_000, urgent: true };
  const returning = recorded({ ...inUse, stable: 2 }, { ...inUse, stable: 2, candidate: again }, 5_000);
  const { candidate: _, ...settled } = returning;
  const returned = recorded(returning, { ...settled, stable: 1 }, 6_000);
  expect(returned.rollouts?.map(({ endedAt }) => endedAt)).toEqual([6_000, 1_000]);
  const names = [transitionsOf(undefined, begun), transitionsOf(inUse, returning), transitionsOf(returning, returned)];
  expect(names.flat().map(({ what }) => what)).toEqual(['started', 'started@5000', 'rolled_back@5000']);
});
