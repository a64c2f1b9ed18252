import type { Clock } from '../../effects/clock.ts';

/** `away`: nothing gets through. `mute`: what is asked for is done, but no answer comes back. */
export type LineFault = 'away' | 'mute';

/** The line between a control plane and what it depends on. */
export interface FaultyLine {
  /** From this moment on, for so long (ms). */
  fail(fault: LineFault, forMs: number): void;
  /** What changes something at the other end. */
  tells<Parameters extends unknown[], Result>(
    perform: (...parameters: Parameters) => Promise<Result>,
  ): (...parameters: Parameters) => Promise<Result>;
  /** What only asks. */
  asks<Parameters extends unknown[], Result>(
    perform: (...parameters: Parameters) => Promise<Result>,
  ): (...parameters: Parameters) => Promise<Result>;
}

/** `lost` is what whoever uses the line gets to see meanwhile. */
export function createFaultyLine(clock: Clock, lost: (fault: LineFault) => Error): FaultyLine {
  let fault: LineFault = 'away';
  let until = Number.NEGATIVE_INFINITY;
  const isFailing = (): boolean => clock.monotonic() < until;
  return {
    fail(kind, forMs) {
      fault = kind;
      until = clock.monotonic() + forMs;
    },
    tells:
      (perform) =>
      async (...parameters) => {
        if (isFailing() && fault === 'away') throw lost(fault);
        const result = await perform(...parameters);
        if (isFailing()) throw lost(fault);
        return result;
      },
    asks:
      (perform) =>
      async (...parameters) => {
        if (isFailing()) throw lost(fault);
        return perform(...parameters);
      },
  };
}
