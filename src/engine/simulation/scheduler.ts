import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { Trace } from './trace.ts';
import { Violation } from './violation.ts';

/**
 * The order of everything that happens, decided by a seed. Whoever is about to have an effect waits for its turn; once nobody can go on
 * without one, a random one of them gets it. Time is virtual: it stands still while anybody can act and then jumps to the next timer.
 */
export interface Scheduler {
  readonly clock: Clock;
  readonly turn: (label: string) => Promise<void>;
  /** Ends the run with this error, whatever anybody makes of it who catches it on the way. */
  readonly stop: (error: Error) => void;
  /** Drives the world until `main` settles. Throws a Violation when nothing can ever happen again, or too much has. */
  readonly run: <Result>(main: () => Promise<Result>) => Promise<Result>;
}

interface Waiting {
  readonly label: string;
  readonly go: () => void;
}

interface Timer {
  readonly at: number;
  readonly ring: () => void;
}

/** A history takes some hundreds of steps; one that takes so many does not come to an end. */
const mostSteps = 100_000;

export function createScheduler(random: Random, trace: Trace): Scheduler {
  const waiting: Waiting[] = [];
  const timers: Timer[] = [];
  let now = Date.UTC(2026, 0, 1);
  let steps = 0;
  let stopped: Error | undefined;

  /** Lets one thing happen. */
  const step = (): void => {
    if (stopped !== undefined) throw stopped;
    steps += 1;
    if (steps > mostSteps) throw new Violation('comes_to_an_end', `no end after ${mostSteps} steps`);
    if (waiting.length > 0) {
      const [next] = waiting.splice(Math.floor(random.next() * waiting.length), 1);
      trace.add((next as Waiting).label);
      (next as Waiting).go();
      return;
    }
    const [first, ...others] = timers;
    if (first === undefined) throw new Violation('comes_to_an_end', 'everybody waits and nothing can ever happen again');
    const next = others.reduce((earliest, timer) => (timer.at < earliest.at ? timer : earliest), first);
    timers.splice(timers.indexOf(next), 1);
    now = next.at;
    trace.add(`time ${now}`);
    next.ring();
  };

  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const leave = (): void => {
          timers.splice(timers.indexOf(timer), 1);
          reject(signal?.reason as Error);
        };
        const ring = (): void => {
          signal?.removeEventListener('abort', leave);
          resolve();
        };
        const timer = { at: now + Math.max(0, milliseconds), ring };
        if (signal?.aborted) reject(signal.reason as Error);
        else {
          signal?.addEventListener('abort', leave, { once: true });
          timers.push(timer);
        }
      }),
  };

  return {
    clock,
    turn: (label) => new Promise((go) => waiting.push({ label, go })),
    stop: (error) => {
      stopped ??= error;
    },
    run: (main) =>
      new Promise((resolve, reject) => {
        let settled = false;
        main()
          .then(resolve, reject)
          .finally(() => {
            settled = true;
          });
        // A tick that a microtask asked for comes after all promises that can go on have gone on: whoever is left waits for a turn or a timer.
        const next = (): void => {
          if (settled) return;
          try {
            step();
          } catch (error) {
            settled = true;
            reject(error);
            return;
          }
          queueMicrotask(rest);
        };
        const rest = (): void => process.nextTick(next);
        queueMicrotask(rest);
      }),
  };
}
