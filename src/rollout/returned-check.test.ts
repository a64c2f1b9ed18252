import { expect, it } from 'vitest';
import { newService, withDesired } from './desired-state.ts';
import { checkReturned } from './returned-check.ts';
import type { RolloutRecord, ServiceState } from './service-state.ts';
import { desiredRelease } from './simulation/desired-release.ts';

const block = { name: 'agent', address: 'default/service/agent', positionOf: () => ({ file: 'stack.yaml', line: 1, column: 1 }) } as const;
const first = newService(desiredRelease('r-1', 'one'), { uid: 'u', token: { sealed: '', digest: '' } }, 0);
const record: RolloutRecord = {
  generation: 2,
  release: 'r-1',
  version: '1.0.0',
  from: 'r-2',
  strategy: 'rollback',
  startedAt: 1,
  by: 'ada',
  outcome: 'completed',
};
const returned: ServiceState = { ...withDesired(first, desiredRelease('r-1', 'one'), 1), stable: 1, rollouts: [record] };
const problems = (release: string, state: ServiceState | undefined) =>
  checkReturned(block, state, release).map(({ code, severity }) => [code, severity]);

it('warns of a release that somebody went back from while the stack still declares it', () => {
  expect(problems('r-2', returned)).toEqual([['service_returned', 'warning']]);
  expect(checkReturned(block, returned, 'r-2')[0]?.message).toContain("'agent' runs r-1, to which ada went back from r-2");
});

it('warns of nothing where what is declared runs, is new, or was never left', () => {
  expect(problems('r-1', returned)).toEqual([]);
  expect(problems('r-3', returned)).toEqual([]);
  expect(problems('r-2', undefined)).toEqual([]);
  expect(problems('r-2', { ...returned, rollouts: [{ ...record, strategy: 'rolling' }] })).toEqual([]);
  const { outcome: _, ...underWay } = record;
  expect(problems('r-2', { ...returned, rollouts: [underWay, { ...record, strategy: 'canary', release: 'r-2', from: 'r-1' }] })).toEqual(
    [],
  );
});
