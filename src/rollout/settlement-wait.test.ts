import { expect, it } from 'vitest';
import type { DesiredService } from './desired-state.ts';
import { newService, removed } from './desired-state.ts';
import type { ServiceState } from './service-state.ts';
import { settlementOf } from './service-status.ts';
import { waitForSettlement } from './settlement-wait.ts';
import { createVirtualClock } from './simulation/virtual-clock.ts';

const desired: DesiredService = {
  address: 'test/service/web',
  environment: 'test',
  name: 'web',
  operation: 'operation-1',
  replicas: 1,
  settings: {
    expose: [],
    calls: [],
    drainMs: 20_000,
    rollout: { strategy: 'rolling', maxSurge: 1, maxUnavailable: 0, progressDeadlineMs: 60_000 },
  },
  revision: {
    release: 'r-1',
    version: '1.0.0',
    directory: '/release',
    command: ['web'],
    env: {},
    releaseEnv: {},
    configuration: 'sha256:0',
    health: { check: { type: 'tcp', timeoutMs: 1_000 }, intervalMs: 1_000, startPeriodMs: 60_000 },
  },
};
const rollingOut = newService(desired, { uid: 'u', token: { sealed: '', digest: '' } }, 0);
const leaving: ServiceState = removed({
  ...rollingOut,
  instances: [{ id: 'web-1', generation: 1, phase: 'stopping', since: 0, restarts: 0, exits: [] }],
});

/** Waits for a service that stays as it is, and lets time pass. */
async function waited(state: ServiceState, passMs: number): Promise<unknown> {
  const clock = createVirtualClock();
  let outcome: unknown = 'still waiting';
  const waiting = waitForSettlement({
    address: state.address,
    signal: new AbortController().signal,
    progress: () => undefined,
    clock,
    read: () => Promise.resolve(state),
    settle: (current) => settlementOf(current, undefined),
    trouble: () => 'the gateway is away',
    watch: () => () => undefined,
  }).then(
    (settlement) => (outcome = settlement),
    (error: unknown) => (outcome = error),
  );
  await clock.advance(passMs);
  if (outcome !== 'still waiting') await waiting;
  return outcome;
}

it('waits for a service that is to stop as long as it may drain and some more, and then says what is left and why', async () => {
  expect(await waited(leaving, 30_000)).toBe('still waiting');
  expect(await waited(leaving, 90_000)).toMatchObject({
    code: 'service_does_not_stop',
    message: "The service 'test/service/web' does not stop: 1 instances left to stop; the gateway is away.",
  });
});

it('waits for a rollout that nobody judges not much longer than its progress deadline', async () => {
  expect(await waited(rollingOut, 70_000)).toBe('still waiting');
  expect(await waited(rollingOut, 200_000)).toMatchObject({
    outcome: 'failed',
    reason: 'it stays at 0/1 instances ready: the gateway is away',
  });
});
