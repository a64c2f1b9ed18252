import type { Limits } from '../limits.ts';

/**
 * `queued`: at the door of the service. `connecting`: no instance has a byte of it. `sending`: the body is on its way. `waiting`: the
 * instance has all of it. `answering`: an answer has begun. `switched`: raw bytes both ways. `ended`: counted no more.
 */
export type Phase = 'queued' | 'connecting' | 'sending' | 'waiting' | 'answering' | 'switched' | 'ended';

/** Whom a request has waited for too long. */
export type Overdue = 'connection' | 'client' | 'instance' | 'stream' | undefined;

/** How long one request has been where it is, and how long nothing of it has moved. Times are monotonic milliseconds. */
export class Patience {
  phase: Phase = 'queued';
  since: number;
  #active: number;
  #moved = 0;

  constructor(now: number) {
    this.since = now;
    this.#active = now;
  }

  enter(phase: Phase, now: number): void {
    this.phase = phase;
    this.since = now;
  }

  /** `moved`: all bytes read and written for it so far. `awaitsInstance`: the body waits for the instance and not for the client. */
  check(limits: Limits, moved: number, awaitsInstance: boolean, now: number): Overdue {
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#active = now;
    }
    const waited = now - this.since;
    const silence = now - Math.max(this.since, this.#active);
    switch (this.phase) {
      case 'connecting':
        return waited > limits.connectMs ? 'connection' : undefined;
      case 'sending':
        if (awaitsInstance) return silence > limits.responseHeadMs ? 'instance' : undefined;
        return silence > limits.bodyIdleMs ? 'client' : undefined;
      case 'waiting':
        return waited > limits.responseHeadMs ? 'instance' : undefined;
      case 'answering':
        return silence > limits.streamIdleMs ? 'stream' : undefined;
      case 'switched':
        return silence > limits.upgradeIdleMs ? 'stream' : undefined;
      case 'queued':
      case 'ended':
        return undefined;
    }
    return undefined;
  }
}
