import { expect, it } from 'vitest';
import { sluiceError } from '../errors/sluice-error.ts';
import type { Provider } from '../providers/provider.ts';
import { blockOf, createControlPlane, stackOf } from './testdata/control-plane.ts';

const database = blockOf('database', 'db');
const service = blockOf('service', 'web', { env: { DATABASE: '${database.db.url}' } });
const stack = stackOf(service, database);

/** Waits for the signal and then fails: what a provider does that waits for something which never comes. */
const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) => {
    const end = (): void => reject(sluiceError('rollout_wait_cancelled', { service: service.address }));
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end);
  });

function planeThatWaitsFor(call: 'suspend' | 'resume' | 'delete', called: (address: string) => void) {
  const wrap = (provider: Provider): Provider => ({
    ...provider,
    suspend: (state, signal) => {
      called(`suspend ${state.name}`);
      return call === 'suspend' && state.kind === 'service' ? untilAborted(signal) : provider.suspend(state);
    },
    resume: (state, signal) => {
      called(`resume ${state.name}`);
      return call === 'resume' ? untilAborted(signal) : provider.resume(state);
    },
    delete: (state, operation) => {
      called(`delete ${state.name}`);
      return call === 'delete' ? untilAborted(operation.signal) : provider.delete(state, operation);
    },
  });
  return createControlPlane({ wrap });
}

it('goes on to suspend the rest when one wait is ended, and says what could not be suspended', async () => {
  const over = new AbortController();
  const calls: string[] = [];
  const plane = planeThatWaitsFor('suspend', (call) => calls.push(call));
  await plane.apply(stack);
  const suspending = plane.engine.suspendAll(over.signal);
  over.abort();
  expect(await suspending).toEqual([service.address]);
  expect(calls).toEqual(['suspend web', 'suspend db']);
});

it('resumes nothing more once nobody waits for it', async () => {
  const over = new AbortController();
  const calls: string[] = [];
  const plane = planeThatWaitsFor('resume', (call) => {
    calls.push(call);
    over.abort();
  });
  await plane.apply(stack);
  expect(await plane.engine.resumeAll(over.signal)).toEqual([database.address]);
  expect(calls).toEqual(['resume db']);
});

it('ends the wait of an operation when its run is cancelled', async () => {
  const cancel = new AbortController();
  const plane = planeThatWaitsFor('delete', () => cancel.abort());
  await plane.apply(stack);
  const report = await plane.applyPlan(await plane.planner.planDestroy('test'), undefined, cancel.signal);
  expect(report.results.map(({ status }) => status)).toEqual(['failed', 'skipped']);
});
