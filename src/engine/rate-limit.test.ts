import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../effects/clock.ts';
import { blockOf, createControlPlane, hastyClock, stackOf } from './testdata/control-plane.ts';
import { createTokenBucket } from './rate-limit.ts';

/** Time that passes only by sleeping: whoever sleeps wakes at once, later. */
function sleepingClock(): Clock & { at: () => number } {
  let elapsed = 0;
  const wakeAt = new Map<() => void, number>();
  const clock = {
    now: () => 0,
    monotonic: () => elapsed,
    at: () => elapsed,
    sleep: (milliseconds: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) reject(signal.reason as Error);
        wakeAt.set(resolve, elapsed + milliseconds);
        signal?.addEventListener('abort', () => {
          wakeAt.delete(resolve);
          reject(signal.reason as Error);
        });
        setImmediate(() => {
          const next = [...wakeAt].toSorted(([, left], [, right]) => left - right)[0];
          if (next === undefined) return;
          elapsed = Math.max(elapsed, next[1]);
          wakeAt.delete(next[0]);
          next[0]();
        });
      }),
  };
  return clock;
}

describe('a token bucket', () => {
  it('lets the burst through at once and the rest at its rate, in turn', async () => {
    const clock = sleepingClock();
    const bucket = createTokenBucket(clock, { perSecond: 10, burst: 3 });
    const times: number[] = [];
    const order: number[] = [];
    const calls = Array.from({ length: 8 }, async (_, index) => {
      await bucket.take();
      order.push(index);
      times.push(clock.at());
    });
    await Promise.all(calls);
    expect(times).toEqual([0, 0, 0, 100, 200, 300, 400, 500]);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('never lets more through in any span of time than it may', async () => {
    const limits = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 10 }) });
    await fc.assert(
      fc.asyncProperty(limits, fc.integer({ min: 1, max: 30 }), async ({ perSecond, burst }, count) => {
        const clock = sleepingClock();
        const bucket = createTokenBucket(clock, { perSecond, burst });
        const times: number[] = [];
        for (let call = 0; call < count; call += 1) {
          await bucket.take();
          times.push(clock.at());
        }
        for (const [first, begin] of times.entries()) {
          for (const [last, end] of times.entries()) {
            const allowed = burst + ((end - begin) / 1_000) * perSecond + 1e-6;
            expect(last - first + 1 <= allowed || last < first).toBe(true);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('leaves a wait as soon as it is no longer wanted', async () => {
    const stop = new AbortController();
    const bucket = createTokenBucket(hastyClock, { perSecond: 0.001, burst: 1 });
    await bucket.take();
    const waiting = bucket.take(stop.signal);
    stop.abort(new Error('lost'));
    await expect(waiting).rejects.toThrow('lost');
  });
});

/** A provider that turns calls away that come faster than it bears, by the same clock. */
const strict = (clock: Clock, declares: boolean) => {
  const allowed = { perSecond: 20, burst: 5 };
  const calls: number[] = [];
  const refused: number[] = [];
  const plane = createControlPlane({
    clock,
    wrap: (provider) => ({
      ...provider,
      ...(declares && { rateLimit: allowed }),
      create: async (request, operation) => {
        const now = clock.monotonic();
        const recent = calls.filter((at) => at > now - 1_000).length;
        if (recent >= allowed.perSecond + allowed.burst) refused.push(now);
        calls.push(now);
        return provider.create(request, operation);
      },
    }),
  });
  return { plane, refused, calls };
};

describe('an apply against a provider with a rate', () => {
  const wide = stackOf(...Array.from({ length: 30 }, (_, index) => blockOf('cache', `c-${index}`)));

  it('stays below it where the provider declares one, and would not otherwise', async () => {
    // A lease renews itself every ten seconds; that sleeper must not carry time along.
    const patient = (clock: ReturnType<typeof sleepingClock>): Clock => ({
      ...clock,
      sleep: (milliseconds, signal) => (milliseconds >= 5_000 ? hastyClock.sleep(milliseconds, signal) : clock.sleep(milliseconds, signal)),
    });
    const declared = strict(patient(sleepingClock()), true);
    expect((await declared.plane.apply(wide)).status).toBe('succeeded');
    expect([declared.calls.length, declared.refused]).toEqual([30, []]);
    expect(declared.calls.at(-1)).toBeCloseTo(1_250, 0);
    const silent = strict(patient(sleepingClock()), false);
    await silent.plane.apply(wide);
    expect(silent.refused.length).toBeGreaterThan(0);
  });
});
