import type { Clock } from '../../effects/clock.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';

/** Tells one HAProxy that has died from one that does not stay, or cannot be started any more. */
export interface Failing {
  /** It ended by itself. */
  ended(): void;
  started(): void;
  notStarted(error: unknown): void;
}

const mostEnds = 5;
const endsWithinMs = 60_000;
/** In a row. */
const mostFailures = 3;

export function createFailing(clock: Pick<Clock, 'monotonic'>, onFailing: (reason: string) => void): Failing {
  const ends: number[] = [];
  let failures = 0;
  return {
    ended: () => {
      const now = clock.monotonic();
      ends.push(now);
      const first = ends.at(-mostEnds);
      if (first !== undefined && now - first < endsWithinMs) onFailing(`it ended ${mostEnds} times within ${endsWithinMs / 1_000} seconds`);
    },
    started: () => {
      failures = 0;
    },
    notStarted: (error) => {
      failures += 1;
      if (failures === mostFailures) onFailing(toSluiceError(error).message);
    },
  };
}
