import type { Limiter, Waiting } from '../../limits/limiter.ts';
import type { RoutedService } from '../../routing/routes.ts';
import type { RequestHead } from '../downstream.ts';

/** Milliseconds until the service's rate limits would let such a request pass; 0: they do. */
export function rateLimitedFor(service: RoutedService, head: RequestHead, caller: string | undefined, now: number): number {
  for (const { limiter, keyOf } of service.rateLimiters ?? []) {
    const waitMs = limiter.take(keyOf(head, caller), now);
    if (waitMs > 0) return waitMs;
  }
  return 0;
}

/** A request's place at the door of a service that works on so many at a time: left once, whatever happens. */
export class Place {
  readonly #limiter: Limiter;
  readonly #waiting: Waiting;
  #state: 'outside' | 'waiting' | 'inside' = 'outside';

  constructor(limiter: Limiter, waiting: Waiting) {
    this.#limiter = limiter;
    this.#waiting = waiting;
  }

  enter(): 'granted' | 'waiting' | 'shed' {
    const answer = this.#limiter.enter(this.#waiting);
    this.#state = answer === 'granted' ? 'inside' : answer === 'waiting' ? 'waiting' : 'outside';
    return answer;
  }

  granted(): void {
    this.#state = 'inside';
  }

  shed(): void {
    this.#state = 'outside';
  }

  leave(): void {
    const state = this.#state;
    this.#state = 'outside';
    if (state === 'inside') this.#limiter.leave();
    else if (state === 'waiting') this.#limiter.cancel(this.#waiting);
  }
}
