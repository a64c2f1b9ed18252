import type { IncomingMessage } from 'node:http';
import { callerOf, internalRoute, publicRoute, type RoutedService, type Routes } from '../routing/routes.ts';
import { refusal, type Refusal } from './answer.ts';
import { checkRequest, type CheckedRequest } from './request-check.ts';

/** Which listener a request came in by. The environment of a public listener can change hands with a table. */
export type Side = { readonly kind: 'public'; readonly environment: () => string | undefined } | { readonly kind: 'internal' };

type Accepted = Extract<CheckedRequest, { outcome: 'accepted' }>;

export type Admission =
  | {
      readonly outcome: 'admitted';
      readonly service: RoutedService;
      readonly target: string;
      readonly caller: string | undefined;
      readonly request: Accepted;
    }
  /** `close`: what follows on the connection cannot be trusted to be a request. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly close: boolean };

/** Decides whether and to which service a request goes. */
export function admit(req: IncomingMessage, side: Side, routes: Routes, headerCount: number): Admission {
  const request = checkRequest(req, headerCount);
  if (request.outcome === 'accepted') {
    return side.kind === 'public' ? admitPublic(request, side.environment(), routes) : admitInternal(req, request, routes);
  }
  return { outcome: 'refused', refusal: refusalOf(request), close: true };
}

function refusalOf(request: Exclude<CheckedRequest, Accepted>): Refusal {
  if (request.outcome === 'invalid') return refusal('gateway_request_invalid', { reason: request.reason });
  if (request.outcome === 'unsupported') return refusal('gateway_request_unsupported', { what: request.what });
  return refusal('gateway_headers_too_large', {});
}

function admitPublic(request: Accepted, environment: string | undefined, routes: Routes): Admission {
  const service = environment === undefined ? undefined : publicRoute(routes, environment, request.host, request.target);
  if (service === undefined) return { outcome: 'refused', refusal: refusal('gateway_route_unknown', {}), close: false };
  return { outcome: 'admitted', service, target: request.target, caller: undefined, request };
}

function admitInternal(req: IncomingMessage, request: Accepted, routes: Routes): Admission {
  const token = req.headers['x-sluice-token'];
  const caller = typeof token === 'string' && token !== '' ? callerOf(routes, token) : undefined;
  if (caller === undefined) return { outcome: 'refused', refusal: refusal('gateway_unauthenticated', {}), close: false };
  const route = internalRoute(caller, request.target);
  if (route.outcome === 'routed')
    return { outcome: 'admitted', service: route.service, target: route.target, caller: caller.name, request };
  const refused =
    route.outcome === 'absent'
      ? refusal('gateway_no_instance', {})
      : refusal('gateway_call_forbidden', { caller: caller.name, service: route.name });
  return { outcome: 'refused', refusal: refused, close: false };
}
