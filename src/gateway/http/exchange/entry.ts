import type { Instance } from '../../balancing/instance.ts';
import type { CachedAnswer, CacheWriter } from '../../cache/response-cache.ts';
import type { RoutedService } from '../../routing/routes.ts';
import { refusal, type Refusal } from '../answer.ts';
import type { RawHeaders, RequestHead } from '../downstream.ts';
import type { Engine } from '../engine.ts';
import { outgoingHead } from '../request-headers.ts';
import type { Priority } from '../../limits/limiter.ts';
import type { Assignment } from '../../routing/split.ts';
import { admit, type Side } from './admit.ts';
import { rateLimitedFor } from './door.ts';

/** A request that may go on: to which service, and as what. */
export interface Entered {
  readonly outcome: 'entered';
  readonly service: RoutedService;
  /** Path and query for the instance. */
  readonly target: string;
  readonly priority: Priority;
  readonly assigned: Assignment | undefined;
  /** The request as a cache knows it: with the target for the instance. */
  readonly seen: RequestHead;
  /** Header fields for the instance, with the empty line. */
  readonly fields: string;
  readonly requestId: string;
  readonly traceparent: string;
  readonly startsTrace: boolean;
  /** An answer that is at hand; the service need not be asked. */
  readonly cached: CachedAnswer | undefined;
}

export type Entry =
  | Entered
  /** `service`: the one that it would have gone to, where it is refused for that one's sake. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly service?: RoutedService };

/** All that is decided about a request before it waits for anything. `now`: monotonic milliseconds. */
export function enter(engine: Engine, side: Side, head: RequestHead, now: number): Entry {
  const admission = admit(head, side, engine.dispatch.routes());
  if (admission.outcome === 'refused') return admission;
  const { service, target, caller, priority } = admission;
  const outgoing = outgoingHead(head, caller, engine.identifier);
  if (outgoing === undefined) {
    return { outcome: 'refused', refusal: refusal('gateway_request_invalid', { reason: 'a header cannot be passed on' }) };
  }
  const { requestId } = outgoing;
  const waitMs = service.rateLimiters === undefined ? 0 : rateLimitedFor(service, head, caller, now);
  if (waitMs > 0) {
    return { outcome: 'refused', refusal: refusal('gateway_rate_limited', {}, { requestId, retryAfterMs: waitMs }), service };
  }
  const assigned = service.split?.assign(head.headers, engine.point());
  if (assigned === undefined && service.split?.isTesters(head.headers) === true) {
    return { outcome: 'refused', refusal: refusal('gateway_release_unknown', {}, { requestId }), service };
  }
  const seen = target === head.target || service.cache === undefined ? head : { ...head, target };
  const cached = service.cache?.lookup(seen, now, assigned?.backend.release);
  return { outcome: 'entered', service, target, priority, assigned, seen, ...outgoing, cached };
}

/** What copies the instance's answer for the cache of the service; undefined when it may not be kept. */
export function copyForCache(
  { service, seen }: Entered,
  status: number,
  headers: RawHeaders,
  now: number,
  instance: Instance | undefined,
): CacheWriter | undefined {
  return service.cache?.writer(seen, status, headers, now, instance?.release);
}

/**
 * For a request that has waited: its service as the routes have it now, and an assignment by them. What is no longer routed stays. Undefined: the
 * release that a tester has named has gone meanwhile.
 */
export function renewed(engine: Engine, known: RoutedService, head: RequestHead): Pick<Entered, 'service' | 'assigned'> | undefined {
  const { services } = engine.dispatch.routes();
  const isSame = ({ environment, name }: RoutedService): boolean => environment === known.environment && name === known.name;
  // Who came for one release is not sent to another.
  const service = known.only === undefined ? (services.find(isSame) ?? known) : known;
  const assigned = service.split?.assign(head.headers, engine.point());
  return assigned === undefined && service.split?.isTesters(head.headers) === true ? undefined : { service, assigned };
}
