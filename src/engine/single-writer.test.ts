import { describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { acquireLease, type LeaseOwner, processOwner } from './lease.ts';
import { blockOf, createControlPlane, environment, hastyClock, stackOf } from './testdata/control-plane.ts';

const stack = stackOf(blockOf('cache', 'one'));
const larger = stackOf(blockOf('cache', 'one', { size: 2 }));
const owner = (name: string, alive = true): LeaseOwner => ({ name, mayBeAlive: () => alive });

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

  it('refuses while another control plane is at work, and leaves no lock behind', async () => {
    const plane = createControlPlane({ owner: owner('host/1/a') });
    const other = createControlPlane({ store: plane.store, world: plane.world, owner: owner('host/2/b') });
    const lease = await acquireLease({ store: plane.store, clock: hastyClock, owner: owner('host/3/c') }, environment);
    await expect(plane.apply(stack)).rejects.toMatchObject({ code: 'environment_busy', retry: 'wait' });
    await lease.release();
    expect((await plane.apply(stack)).status).toBe('succeeded');
    expect((await other.apply(larger)).status).toBe('succeeded');
    expect(await plane.store.list('leases')).toEqual([]);
  });

  it('takes over at once from one that is certainly dead, and from any when its time is up', async () => {
    const plane = createControlPlane();
    const { store } = plane;
    let now = 1_000_000;
    const clock = { ...hastyClock, now: () => now };
    const first = await acquireLease({ store, clock, owner: owner('host/1/a') }, environment);
    await expect(acquireLease({ store, clock, owner: owner('host/2/b') }, environment)).rejects.toMatchObject({ code: 'environment_busy' });
    const second = await acquireLease({ store, clock, owner: owner('host/2/b', false) }, environment);
    now += 30_001;
    const third = await acquireLease({ store, clock, owner: owner('host/3/c') }, environment);
    expect(() => second.assertHeld()).toThrow(expect.objectContaining({ code: 'lease_lost' }));
    expect(() => third.assertHeld()).not.toThrow();
    for (const lease of [first, second]) await lease.release();
    expect(await store.list('leases')).toHaveLength(1);
    await third.release();
  });

  it('renews a lease as long as it is held, and learns when another has it', async () => {
    const { store } = createControlPlane();
    const ticks: (() => void)[] = [];
    const clock = {
      ...systemClock,
      sleep: (_: number, signal?: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          ticks.push(resolve);
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    };
    const lease = await acquireLease({ store, clock, owner: owner('host/1/a') }, environment);
    ticks.shift()?.();
    await expect.poll(async () => (await store.get('leases', environment))?.version).toBe(2);
    await store.transact([{ operation: 'put', collection: 'leases', key: environment, value: { owner: 'other', expiresAt: '' } }]);
    await expect.poll(() => ticks.length).toBe(1);
    ticks.shift()?.();
    await expect.poll(() => lease.lost.aborted).toBe(true);
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'lease_lost' }));
    await lease.release();
    expect(await store.get('leases', environment)).toMatchObject({ value: { owner: 'other' } });
  });

  it('tells its own process from one that has ended', () => {
    const own = processOwner();
    const [host, pid, startTime] = own.name.split('/');
    expect(own.mayBeAlive(own.name)).toBe(true);
    expect(own.mayBeAlive(`${host}/${pid}/${startTime}0`)).toBe(false);
    expect(own.mayBeAlive(`elsewhere/${pid}/${startTime}0`)).toBe(true);
  });
});
