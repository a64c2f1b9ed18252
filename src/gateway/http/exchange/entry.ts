import type { CachedAnswer } from '../../cache/response-cache.ts';
import type { RoutedService } from '../../routing/routes.ts';
import { refusal, type Refusal } from '../answer.ts';
import type { RequestHead } from '../downstream.ts';
import type { Engine } from '../engine.ts';
import { outgoingHead } from '../request-headers.ts';
import { admit, type Side } from './admit.ts';
import { rateLimitedFor } from './door.ts';

/** A request that may go on: to which service, and as what. */
export interface Entered {
  readonly outcome: 'entered';
  readonly service: RoutedService;
  /** Path and query for the instance. */
  readonly target: string;
  /** Header fields for the instance, with the empty line. */
  readonly fields: string;
  readonly requestId: string;
  /** An answer that is at hand; the service need not be asked. */
  readonly cached: CachedAnswer | undefined;
}

export type Entry = Entered | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** All that is decided about a request before it waits for anything. `now`: monotonic milliseconds. */
export function enter(engine: Engine, side: Side, head: RequestHead, now: number): Entry {
  const admission = admit(head, side, engine.dispatch.routes());
  if (admission.outcome === 'refused') return admission;
  const { service, target, caller } = admission;
  const outgoing = outgoingHead(head, caller, engine.identifier);
  if (outgoing === undefined) {
    return { outcome: 'refused', refusal: refusal('gateway_request_invalid', { reason: 'a header cannot be passed on' }) };
  }
  const { fields, requestId } = outgoing;
  const waitMs = service.rateLimiters === undefined ? 0 : rateLimitedFor(service, head, caller, now);
  if (waitMs > 0) {
    return { outcome: 'refused', refusal: refusal('gateway_rate_limited', {}, { requestId, retryAfterMs: waitMs }) };
  }
  const cached = service.cache === undefined || !isCacheable(head) ? undefined : service.cache.lookup(head, now);
  return { outcome: 'entered', service, target, fields, requestId, cached };
}

/** Whether its answer may come from, or go into, the cache of its service. */
export function isCacheable(head: RequestHead): boolean {
  return head.body === 'none' && head.upgrade === undefined;
}
