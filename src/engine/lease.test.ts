import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../effects/clock.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { Store, Write } from '../store/store.ts';
import { type LeaseOwner, processOwner } from './lease-owner.ts';
import { createLeases, type Leases } from './lease.ts';

const mine: Write = { operation: 'put', collection: 'things', key: 'a', value: 1 };
const work = { work: 'apply', run: 'run-1' } as const;

const owner = (name: string, isAlive: (other: string) => boolean): LeaseOwner => ({ name, mayBeAlive: isAlive });

const event = (holder: { readonly pid: number }): Write[] => [{ operation: 'append', log: 'told', value: holder.pid }];

/** A clock whose wall can jump apart from its monotonic time; sleepers wake when `pass` carries them over their time. */
function handClock() {
  let [wall, elapsed] = [1_800_000_000_000, 0];
  const sleepers = new Set<{ at: number; wake: () => void }>();
  const clock: Clock = {
    now: () => wall,
    monotonic: () => elapsed,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: elapsed + milliseconds, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      }),
  };
  return {
    clock,
    jump: (milliseconds: number) => void (wall += milliseconds),
    /** A process that is paused: its time goes on, nothing in it runs. */
    freeze: (milliseconds: number) => void ([wall, elapsed] = [wall + milliseconds, elapsed + milliseconds]),
    pass: async (milliseconds: number) => {
      for (let left = milliseconds; left > 0; left -= 1_000) {
        [wall, elapsed] = [wall + 1_000, elapsed + 1_000];
        for (const sleeper of sleepers) {
          if (sleeper.at > elapsed) continue;
          sleepers.delete(sleeper);
          sleeper.wake();
        }
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      }
    },
  };
}

describe('a lease', () => {
  let store: Store;
  let time: ReturnType<typeof handClock>;
  const engine = (name: string, isAlive: (other: string) => boolean = () => true, clock = time.clock): Leases =>
    createLeases({ store, clock, owner: owner(name, isAlive) });
  const version = async (): Promise<number | undefined> => (await store.get('leases', 'test'))?.version;
  beforeEach(() => {
    store = createMemoryStore();
    time = handClock();
  });

  it('is held by one, renewed while it is held, and free once it is released', async () => {
    const lease = await engine('host/1/a').acquire('test', work);
    await time.pass(65_000);
    expect(await version()).toBeGreaterThanOrEqual(6);
    await expect(engine('host/2/b').acquire('test', work)).rejects.toMatchObject({ code: 'environment_busy' });
    await lease.ensureHeld();
    await lease.transact([mine]);
    await lease.release();
    expect(await version()).toBeUndefined();
    await expect(engine('host/2/b').acquire('test', work)).resolves.toMatchObject({ token: 2 });
  });

  it('of a holder that is certainly dead is taken over at once; of any other when its time is up', async () => {
    await engine('host/1/a', () => true, handClock().clock).acquire('test', work);
    const second = await engine('host/2/b', (other) => other !== 'host/1/a', handClock().clock).acquire('test', work);
    const third = engine('host/3/c');
    await expect(third.acquire('test', work)).rejects.toMatchObject({ code: 'environment_busy' });
    await time.pass(31_000);
    const lease = await third.acquire('test', work);
    expect([second.token, lease.token]).toEqual([2, 3]);
    await lease.transact([mine]);
    await expect(second.transact([mine])).rejects.toMatchObject({ code: 'lease_lost' });
    expect(second.lost.aborted).toBe(true);
    await second.release();
    expect(await version()).toBe(3);
  });

  it('lets a holder that was paused change nothing when it wakes', async () => {
    const frozen = handClock();
    const paused = await engine('host/1/a', () => true, frozen.clock).acquire('test', work);
    await time.pass(31_000);
    const next = await engine('host/2/b').acquire('test', work);
    frozen.freeze(31_000);
    await expect(paused.ensureHeld()).rejects.toMatchObject({ code: 'lease_lost' });
    await expect(paused.transact([mine])).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await store.get('things', 'a')).toBeUndefined();
    await next.ensureHeld();
    await next.release();
    // Free again, but not for the one who lost it.
    await expect(paused.transact([mine])).rejects.toMatchObject({ code: 'lease_lost' });
  });

  it('goes on when a holder was paused and nobody took it meanwhile', async () => {
    const lease = await engine('host/1/a').acquire('test', work);
    time.freeze(100_000);
    await lease.ensureHeld();
    await lease.transact([mine]);
    await expect(engine('host/2/b').acquire('test', work)).rejects.toMatchObject({ code: 'environment_busy' });
  });

  it('survives a wall clock that jumps ahead: it is renewed before the next effect', async () => {
    const lease = await engine('host/1/a').acquire('test', work);
    time.jump(3_600_000);
    await lease.ensureHeld();
    await expect(engine('host/2/b').acquire('test', work)).rejects.toMatchObject({ code: 'environment_busy' });
    await lease.transact([mine]);
  });

  it('whose holder another takes for expired after a jump is fenced off: of two, one writes', async () => {
    const jumped = handClock();
    jumped.jump(3_600_000);
    const slow = await engine('host/1/a').acquire('test', work);
    const fast = await engine('host/2/b', () => true, jumped.clock).acquire('test', work);
    const outcomes = await Promise.allSettled([slow.transact([mine]), fast.transact([mine])]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('of a dead holder ends also when the wall clock has jumped back an hour since', async () => {
    await engine('host/1/a', () => true, handClock().clock).acquire('test', work);
    time.jump(-3_600_000);
    const next = engine('host/2/b');
    await expect(next.acquire('test', work)).rejects.toMatchObject({ code: 'environment_busy' });
    await time.pass(29_000);
    await expect(next.acquire('test', work)).rejects.toMatchObject({ code: 'environment_busy' });
    await time.pass(1_000);
    await expect(next.acquire('test', work)).resolves.toMatchObject({ token: 2 });
  });

  it('goes to exactly one of many who ask at the same moment', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => engine(`host/${index}/x`).acquire('test', work)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as { code: string }] : []));
    expect(refusals.map(({ code }) => code)).toEqual(Array.from({ length: 19 }, () => 'environment_busy'));
  });

  it('can be broken by anybody; its holder learns of it at once in its own process and by version elsewhere', async () => {
    const own = engine('host/1/a');
    const lease = await own.acquire('test', work);
    expect(await own.breakLease('test', event)).toMatchObject({ pid: 1, run: 'run-1' });
    expect(lease.lost.aborted).toBe(true);
    const other = await engine('host/2/b').acquire('test', work);
    await own.breakLease('test', event);
    expect(other.lost.aborted).toBe(false);
    await expect(other.transact([mine])).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await own.breakLease('test', event)).toBeUndefined();
    expect((await store.read('told', 0, 9)).map(({ value }) => value)).toEqual([1, 2]);
    await lease.release();
    await other.release();
  });

  it('passes on a store that fails, and does not mistake a conflict of the caller for a lost lease', async () => {
    const lease = await engine('host/1/a').acquire('test', work);
    await lease.transact([mine]);
    await expect(lease.transact([{ ...mine, ifVersion: 7 }])).rejects.toMatchObject({ code: 'store_conflict' });
    expect(lease.lost.aborted).toBe(false);
    await lease.transact([mine]);
  });

  it('tells its own process from one that has ended', () => {
    const own = processOwner();
    const [host, pid, startTime] = own.name.split('/');
    expect(own.mayBeAlive(own.name)).toBe(true);
    expect(own.mayBeAlive(`${host}/${pid}/${startTime}0`)).toBe(false);
    expect(own.mayBeAlive(`elsewhere/${pid}/${startTime}0`)).toBe(true);
  });
});
