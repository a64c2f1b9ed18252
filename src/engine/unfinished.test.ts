import { describe, expect, it } from 'vitest';
import { sluiceError } from '../errors/sluice-error.ts';
import type { Applied, Operation } from '../providers/provider.ts';
import { until } from '../testing/conditions.ts';
import type { RunReport } from './run-report.ts';
import { blockOf, createControlPlane, environment, stackOf } from './testdata/control-plane.ts';

const one = (size: number) => stackOf(blockOf('cache', 'one', { size }));
const address = 'test/cache/one';

/** A control plane whose updates go on until the test ends them, in the order in which they began. */
async function world() {
  const ends: { end: PromiseWithResolvers<void>; finished: number }[] = [];
  const plane = createControlPlane({
    wrap: (provider) => ({
      ...provider,
      update: async (request, operation): Promise<Applied> => {
        const applied = await provider.update(request, operation);
        const mine = { end: Promise.withResolvers<void>(), finished: 0 };
        ends.push(mine);
        const end = (operation: Operation): Promise<void> => {
          operation.progress('stage 1 of 2');
          operation.signal.addEventListener('abort', () => mine.end.reject(sluiceError('rollout_wait_cancelled', { service: 'one' })));
          return mine.end.promise;
        };
        const finish = async (): Promise<Applied> => {
          mine.finished += 1;
          expect(await plane.engine.lock(environment)).toBeDefined();
          return { ...applied, outputs: { state: { value: 'ended', secret: false } } };
        };
        return { ...applied, goesOn: { end, finish } };
      },
    }),
  });
  await plane.apply(one(1));
  let freed = 0;
  const cancelled = new AbortController();
  const update = async (size: number, run: string): Promise<RunReport> => {
    const stack = one(size);
    const plan = await plane.planner.plan(stack);
    return plane.engine.apply(plan, stack, { run, signal: cancelled.signal, onFree: () => (freed += 1) });
  };
  const begun = (count: number) => until(`${count} to be under way`, () => freed === count);
  const state = async () =>
    (await plane.store.get('resources', address))?.value as { status: string; declared: { size: number }; outputs: object };
  const told = async () =>
    (await plane.events.read(0, 100)).flatMap(({ type, run, message }) => (run === undefined ? [] : [`${run} ${type} ${message}`]));
  return { plane, ends, update, begun, state, told, cancel: () => cancelled.abort(), freed: () => freed };
}

describe('a change whose consequences go on', () => {
  it('is made and recorded, leaves the environment to others, and is told as finished at its end', async () => {
    const { plane, ends, update, begun, state, told } = await world();
    const run = update(2, 'run-a');
    await begun(1);
    expect([await plane.engine.lock(environment), await state()]).toMatchObject([undefined, { status: 'ready', declared: { size: 2 } }]);
    expect((await plane.planner.plan(one(2))).changes[0]?.action).toBe('none');
    // Others come and go meanwhile.
    const other = stackOf(blockOf('cache', 'one', { size: 2 }), blockOf('cache', 'two'));
    expect((await plane.apply(other)).status).toBe('succeeded');
    expect((await told()).filter((line) => line.startsWith('run-a') && / (change|run)\.(finished|failed)/.test(line))).toEqual([]);
    ends[0]?.end.resolve();
    expect(await run).toMatchObject({ status: 'succeeded', results: [{ address, status: 'done' }] });
    expect([ends[0]?.finished, await state()]).toMatchObject([1, { status: 'ready', outputs: { state: { value: 'ended' } } }]);
    expect((await told()).filter((line) => line.startsWith('run-a')).slice(-4)).toEqual([
      'run-a change.started updating cache/one',
      'run-a change.progressed stage 1 of 2',
      'run-a change.finished cache/one updated',
      'run-a run.finished test: succeeded, 1 changed, 0 failed, 0 skipped',
    ]);
    expect(await plane.store.list('leases')).toEqual([]);
  });

  it('that fails in the end is recorded as failed, and the next plan tries what is declared again', async () => {
    const { plane, ends, update, begun, state } = await world();
    const run = update(2, 'run-a');
    await begun(1);
    ends[0]?.end.reject(sluiceError('rollout_failed', { service: 'one', release: 'r-2', reason: 'errors got worse', log: '' }));
    expect(await run).toMatchObject({ status: 'failed', results: [{ status: 'failed', error: { code: 'rollout_failed' } }] });
    expect([ends[0]?.finished, await state()]).toMatchObject([0, { status: 'failed', declared: { size: 1 } }]);
    expect((await plane.planner.plan(one(2))).changes[0]).toMatchObject({
      action: 'update',
      reason: 'its last change failed; size changed',
    });
  });

  it('that a later change takes the place of says nothing against what that one has recorded', async () => {
    const { ends, update, begun, state } = await world();
    const first = update(2, 'run-a');
    await begun(1);
    const second = update(3, 'run-b');
    await begun(2);
    ends[0]?.end.reject(sluiceError('rollout_superseded', { service: 'one', release: 'r-2' }));
    expect(await first).toMatchObject({ status: 'failed', results: [{ error: { code: 'rollout_superseded' } }] });
    expect(await state()).toMatchObject({ status: 'ready', declared: { size: 3 } });
    ends[1]?.end.resolve();
    expect((await second).status).toBe('succeeded');
    expect(await state()).toMatchObject({ status: 'ready', declared: { size: 3 } });
  });

  it('that nobody waits for any longer goes on, and nothing is recorded against it', async () => {
    const { update, begun, state, cancel } = await world();
    const run = update(2, 'run-a');
    await begun(1);
    cancel();
    expect(await run).toMatchObject({ results: [{ error: { code: 'rollout_wait_cancelled' } }] });
    expect(await state()).toMatchObject({ status: 'ready', declared: { size: 2 } });
  });

  it('leaves what is left to do to the next apply while another control plane is at work', async () => {
    const { plane, ends, update, begun, state } = await world();
    const run = update(2, 'run-a');
    await begun(1);
    const go = Promise.withResolvers<void>();
    const elsewhere = createControlPlane({
      store: plane.store,
      world: plane.world,
      owner: { name: 'elsewhere/9/z', mayBeAlive: () => true },
    });
    const holding = elsewhere.engine.exclusively(environment, () => go.promise);
    await until('it to hold', async () => (await plane.engine.lock(environment)) !== undefined);
    ends[0]?.end.resolve();
    expect((await run).status).toBe('succeeded');
    expect([ends[0]?.finished, await state()]).toMatchObject([0, { status: 'ready' }]);
    go.resolve();
    await holding;
  });
});
