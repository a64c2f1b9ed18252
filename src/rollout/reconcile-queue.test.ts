import { expect, it } from 'vitest';
import { seededRandom } from '../effects/random.ts';
import { createReconcileQueue } from './reconcile-queue.ts';
import { createVirtualClock } from './simulation/virtual-clock.ts';

it('runs one pass per key at a time, and one more for whatever woke it meanwhile', async () => {
  const clock = createVirtualClock();
  const passes: string[] = [];
  const running = new Set<string>();
  const queue = createReconcileQueue({
    clock,
    random: seededRandom(1),
    async reconcile(key) {
      expect(running.has(key)).toBe(false);
      running.add(key);
      passes.push(key);
      await clock.sleep(10);
      running.delete(key);
      return undefined;
    },
    onError: () => undefined,
  });
  for (const key of ['a', 'b', 'a']) queue.wake(key);
  await clock.advance(5);
  for (const key of ['a', 'a', 'a']) queue.wake(key);
  await clock.advance(100);
  expect(passes).toEqual(['a', 'b', 'a']);
});

it('keeps looking after the others while one key fails again and again, ever less often', async () => {
  const clock = createVirtualClock();
  const failures: number[] = [];
  let healthy = 0;
  const queue = createReconcileQueue({
    clock,
    random: seededRandom(1),
    async reconcile(key) {
      if (key === 'poison') throw new Error('cannot be looked after');
      healthy += 1;
      return clock.now() + 100;
    },
    onError: () => failures.push(clock.monotonic()),
  });
  for (const key of ['poison', 'healthy']) queue.wake(key);
  await clock.advance(60_000);
  const pauses = failures.slice(1).map((at, index) => at - (failures[index] ?? 0));
  expect(healthy).toBeGreaterThan(590);
  expect(pauses[0]).toBeLessThanOrEqual(100);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
  expect(failures.length).toBeLessThan(20);
  await queue.stop();
  const count = failures.length;
  await clock.advance(60_000);
  expect(failures).toHaveLength(count);
});
