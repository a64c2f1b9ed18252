import type { Instance } from '../../balancing/instance.ts';
import type { RequestAbout } from '../../measuring/observer.ts';
import type { RequestHead } from '../downstream.ts';
import type { Entered } from './entry.ts';

/** What the access log and traces are told of a request. */
export function aboutRequest(head: RequestHead, entered: Entered, instance: Instance | undefined): RequestAbout {
  const { service, target, requestId, traceparent, startsTrace } = entered;
  return {
    method: head.method,
    host: head.host,
    target,
    clientAddress: head.clientAddress,
    requestId,
    traceparent,
    startsTrace,
    environment: service.environment,
    service: service.name,
    release: instance?.release ?? '',
    instance: instance?.id ?? '',
  };
}
