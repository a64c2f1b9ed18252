import { systemClock } from '../effects/clock.ts';

/** Waits until `condition` gives a value that is neither false nor undefined; fails with `what` after `limitMs`. Tests never just sleep. */
export async function until<Value>(
  what: string,
  condition: () => Value | false | undefined | Promise<Value | false | undefined>,
  limitMs = 30_000,
): Promise<Value> {
  const deadline = systemClock.monotonic() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (systemClock.monotonic() > deadline) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await systemClock.sleep(15);
  }
}
