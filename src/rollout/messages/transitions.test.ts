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
