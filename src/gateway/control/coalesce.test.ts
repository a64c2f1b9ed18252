import { expect, test } from 'vitest';
import { coalesced } from './coalesce.ts';

function gate(): { open: () => void; passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, passed: promise };
}

test('any number of requests during a run cost one more run, which begins after them', async () => {
  const gates = [gate(), gate(), gate()];
  let runs = 0;
  const run = coalesced(async () => {
    const own = gates[runs];
    runs += 1;
    await own?.passed;
  });
  const first = run();
  const later = Array.from({ length: 100 }, run);
  expect(runs).toBe(1);
  gates[0]?.open();
  await first;
  gates[1]?.open();
  await Promise.all(later);
  expect(runs).toBe(2);
  gates[2]?.open();
  await run();
  expect(runs).toBe(3);
});

test('a run that fails fails those who asked for it and no one else', async () => {
  let runs = 0;
  const run = coalesced(async () => {
    runs += 1;
    if (runs === 1) throw new Error('first');
  });
  const first = run();
  const second = run();
  await expect(first).rejects.toThrow('first');
  await expect(second).resolves.toBeUndefined();
  expect(runs).toBe(2);
});
