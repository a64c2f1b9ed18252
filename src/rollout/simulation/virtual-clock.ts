import type { Clock } from '../../effects/clock.ts';

export interface VirtualClock extends Clock {
  /** Lets `milliseconds` pass: every sleeper wakes in its turn, and what it sets off is done before the next one wakes. */
  advance(milliseconds: number): Promise<void>;
  /** Somebody sets it: what it shows is so much later (earlier, where negative) from now on, and no sleeper wakes for it. */
  jump(milliseconds: number): void;
  /** How often it was set. */
  jumps(): number;
}

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Time that passes only when it is told to. Sleepers of the same moment wake in the order in which they fell asleep. */
export function createVirtualClock(start = Date.UTC(2026, 0, 1)): VirtualClock {
  const sleepers = new Set<Sleeper>();
  let time = start;
  let order = 0;
  let setBy = 0;
  let jumps = 0;

  function next(until: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.at > until) continue;
      if (!first || sleeper.at < first.at || (sleeper.at === first.at && sleeper.order < first.order)) first = sleeper;
    }
    return first;
  }

  return {
    now: () => time + setBy,
    jump(milliseconds) {
      setBy += milliseconds;
      jumps += 1;
    },
    jumps: () => jumps,
    monotonic: () => time - start,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        order += 1;
        const sleeper: Sleeper = {
          at: time + Math.max(0, milliseconds),
          order,
          wake: () => {
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        const onAbort = (): void => {
          sleepers.delete(sleeper);
          reject(signal?.reason as Error);
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    async advance(milliseconds) {
      const end = time + milliseconds;
      await settle();
      for (let sleeper = next(end); sleeper; sleeper = next(end)) {
        sleepers.delete(sleeper);
        time = Math.max(time, sleeper.at);
        sleeper.wake();
        await settle();
      }
      time = end;
    },
  };
}

/** Everything that is only waiting for its turn gets it. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
