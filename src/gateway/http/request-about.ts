import type { IncomingMessage } from 'node:http';
import type { Instance } from '../balancing/instance.ts';
import type { RequestAbout } from '../measuring/observer.ts';
import { normalizedHost } from '../routing/host.ts';
import type { RoutedService } from '../routing/routes.ts';

interface Carried {
  readonly req: IncomingMessage;
  readonly service: RoutedService;
  readonly target: string;
  /** As they go to the instance. */
  readonly headers: readonly string[];
  readonly requestId: string;
}

/** What the access log and traces are told of a request. */
export function aboutOf({ req, service, target, headers, requestId }: Carried, instance: Instance | undefined): RequestAbout {
  const traceparent = headers[headers.indexOf('traceparent') + 1] ?? '';
  return {
    method: req.method ?? 'GET',
    host: normalizedHost(req.headers.host ?? '') ?? '',
    target,
    clientAddress: req.socket.remoteAddress ?? '',
    requestId,
    traceparent,
    startsTrace: req.headers['traceparent'] !== traceparent,
    environment: service.environment,
    service: service.name,
    release: instance?.release ?? '',
    instance: instance?.id ?? '',
  };
}
