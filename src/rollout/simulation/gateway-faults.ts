import { sluiceError } from '../../errors/sluice-error.ts';
import type { Clock } from '../../effects/clock.ts';

/** `away`: nothing reaches the gateway. `mute`: what it is told takes effect, but no answer comes back. Either way it goes on serving. */
export type GatewayFault = 'away' | 'mute';

/** The line between a control plane and its gateway. */
export interface GatewayLine {
  /** From this moment on, for so long (ms). */
  fail(fault: GatewayFault, forMs: number): void;
  /** What changes something at the gateway. */
  tells<Parameters extends unknown[], Result>(
    perform: (...parameters: Parameters) => Promise<Result>,
  ): (...parameters: Parameters) => Promise<Result>;
  /** What only asks it. */
  asks<Parameters extends unknown[], Result>(
    perform: (...parameters: Parameters) => Promise<Result>,
  ): (...parameters: Parameters) => Promise<Result>;
}

export function createGatewayLine(clock: Clock): GatewayLine {
  let fault: GatewayFault = 'away';
  let until = Number.NEGATIVE_INFINITY;
  const isFailing = (): boolean => clock.now() < until;
  const lost = (): Error => sluiceError('gateway_unreachable', { reason: `it is ${fault}` });
  return {
    fail(kind, forMs) {
      fault = kind;
      until = clock.now() + forMs;
    },
    tells:
      (perform) =>
      async (...parameters) => {
        if (isFailing() && fault === 'away') throw lost();
        const result = await perform(...parameters);
        if (isFailing()) throw lost();
        return result;
      },
    asks:
      (perform) =>
      async (...parameters) => {
        if (isFailing()) throw lost();
        return perform(...parameters);
      },
  };
}
