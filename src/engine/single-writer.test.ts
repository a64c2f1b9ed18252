import { describe, expect, it } from 'vitest';
import type { Store } from '../store/store.ts';
import type { LeaseOwner } from './lease-owner.ts';
import { createLeases } from './lease.ts';
import { blockOf, createControlPlane, environment, hastyClock, stackOf } from './testdata/control-plane.ts';

const stack = stackOf(blockOf('cache', 'one'));
const larger = stackOf(blockOf('cache', 'one', { size: 2 }));
const owner = (name: string): LeaseOwner => ({ name, mayBeAlive: () => true });
const leasesOf = (store: Store, name: string) => createLeases({ store, clock: hastyClock, owner: owner(name) });

describe('one writer per environment', () => {
  it('refuses a plan once the state or the stack has moved on, and changes nothing', async () => {
    const plane = createControlPlane();
    const first = await plane.planner.plan(stack);
    const second = await plane.planner.plan(stack);
    await plane.applyPlan(first, stack);
    await expect(plane.applyPlan(second, stack)).rejects.toMatchObject({ code: 'plan_stale', status: 409 });
    await expect(plane.applyPlan(await plane.planner.plan(stack), larger)).rejects.toMatchObject({ code: 'plan_stale' });
    expect(plane.world.effects).toHaveLength(1);
  });

  it('lets runs of one control plane wait for each other', async () => {
    const plane = createControlPlane();
    const plan = await plane.planner.plan(stack);
    const outcomes = await Promise.allSettled([plane.applyPlan(plan, stack), plane.applyPlan(plan, stack)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(plane.world.resources.size).toBe(1);
  });

  it('refuses while another control plane is at work, says who, and leaves no lock behind', async () => {
    const plane = createControlPlane({ owner: owner('host/1/a') });
    const other = createControlPlane({ store: plane.store, world: plane.world, owner: owner('host/2/b') });
    const third = leasesOf(plane.store, 'elsewhere/3/c');
    const lease = await third.acquire(environment, { work: 'apply', run: 'run-7' });
    await expect(plane.apply(stack)).rejects.toMatchObject({
      code: 'environment_busy',
      retry: 'wait',
      message: expect.stringMatching(/elsewhere, process 3, since .*, run run-7/),
    });
    expect(await plane.engine.lock(environment)).toMatchObject({
      host: 'elsewhere',
      pid: 3,
      run: 'run-7',
      work: 'apply',
      mayBeAlive: true,
    });
    await lease.release();
    expect(await plane.engine.lock(environment)).toBeUndefined();
    expect((await plane.apply(stack)).status).toBe('succeeded');
    expect((await other.apply(larger)).status).toBe('succeeded');
    expect(await plane.store.list('leases')).toEqual([]);
  });

  it('suspends and resumes only what nobody else is changing', async () => {
    const plane = createControlPlane({ owner: owner('host/1/a') });
    await plane.apply(stack);
    const lease = await leasesOf(plane.store, 'elsewhere/3/c').acquire(environment, { work: 'apply' });
    await plane.engine.suspendAll();
    expect(plane.world.resources.get('test/cache/one')?.running).toBe(true);
    expect((await plane.events.read(0, 100)).at(-1)?.message).toMatch(/^test: cannot suspend: Another control plane/);
    await lease.release();
    await plane.engine.suspendAll();
    expect(plane.world.resources.get('test/cache/one')?.running).toBe(false);
    await plane.engine.resumeAll();
    expect(plane.world.resources.get('test/cache/one')?.running).toBe(true);
  });

  it('ends at its next step, and changes nothing more, when its environment is unlocked', async () => {
    const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        create: async (request, operation) => {
          reached.resolve();
          await go.promise;
          return provider.create(request, operation);
        },
      }),
    });
    const running = plane.apply(stackOf(blockOf('cache', 'one'), blockOf('cache', 'two', { on: ['cache.one'] })));
    await reached.promise;
    expect(await plane.engine.unlock(environment, 'ann')).toMatchObject({ run: 'run-1', pid: process.pid });
    go.resolve();
    await expect(running).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await plane.engine.unlock(environment, 'ann')).toBeUndefined();
    expect(plane.world.effects).toHaveLength(1);
    expect((await plane.store.get('resources', 'test/cache/one'))?.value).toMatchObject({ status: 'creating' });
    const told = (await plane.events.read(0, 100)).find(({ type }) => type === 'environment.unlocked');
    expect(told?.message).toMatch(/^test was unlocked by 'ann', which interrupted .*run run-1$/);
  });
});
