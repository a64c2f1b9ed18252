import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';

const firstPauseMs = 100;
const longestPauseMs = 10_000;

export interface ReconcileQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Brings one key nearer to where it should be. Resolves with the time (epoch milliseconds) to look again, if there is one. */
  readonly reconcile: (key: string) => Promise<number | undefined>;
  /** Told of every failed pass; the key is tried again after a growing, jittered pause. */
  readonly onError: (key: string, error: unknown) => void;
}

export interface ReconcileQueue {
  /** Has the key looked at soon. While it is being looked at, once more afterwards. */
  wake(key: string): void;
  /** Takes nothing more up; resolves when what is running has ended. */
  stop(): Promise<void>;
}

/**
 * A level-triggered work queue: one worker per key at a time, keys independent of each other, so that one that always fails costs only
 * itself. A wake-up carries no content; the state is read afresh by every pass.
 */
export function createReconcileQueue({ clock, random, reconcile, onError }: ReconcileQueueOptions): ReconcileQueue {
  const dirty = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const timers = new Map<string, AbortController>();
  const failures = new Map<string, number>();
  const stopping = new AbortController();

  function wake(key: string): void {
    if (stopping.signal.aborted) return;
    dirty.add(key);
    timers.get(key)?.abort();
    timers.delete(key);
    if (!running.has(key)) running.set(key, run(key));
  }

  async function run(key: string): Promise<void> {
    // The first pass starts in a turn of its own, so that a burst of wake-ups is one pass.
    await Promise.resolve();
    let wakeAt: number | undefined;
    while (dirty.delete(key) && !stopping.signal.aborted) {
      try {
        wakeAt = await reconcile(key);
        failures.delete(key);
      } catch (error) {
        const count = (failures.get(key) ?? 0) + 1;
        failures.set(key, count);
        onError(key, error);
        wakeAt = clock.now() + pauseAfter(count);
      }
    }
    // In the same turn as the last look at `dirty`: a wake-up either finds the worker running or starts another.
    running.delete(key);
    if (wakeAt !== undefined && !stopping.signal.aborted) wakeLater(key, wakeAt);
  }

  function pauseAfter(count: number): number {
    const full = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(count - 1, 16));
    return full / 2 + (full / 2) * random.next();
  }

  function wakeLater(key: string, at: number): void {
    const timer = new AbortController();
    timers.set(key, timer);
    clock.sleep(Math.max(1, at - clock.now()), timer.signal).then(
      () => {
        if (timers.get(key) !== timer) return;
        timers.delete(key);
        wake(key);
      },
      () => undefined,
    );
  }

  return {
    wake,
    async stop() {
      stopping.abort();
      for (const timer of timers.values()) timer.abort();
      timers.clear();
      await Promise.allSettled(running.values());
    },
  };
}
