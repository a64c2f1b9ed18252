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
  switch (request.outcome) {
    case 'invalid':
      return { outcome: 'refused', refusal: refusal('gateway_request_invalid', { reason: request.reason }), close: true };
    case 'unsupported':
      return { outcome: 'refused', refusal: refusal('gateway_request_unsupported', { what: request.what }), close: true };
    case 'too_large':
      return { outcome: 'refused', refusal: refusal('gateway_headers_too_large', {}), close: true };
    case 'accepted':
      return side.kind === 'public' ? admitPublic(request, side.environment(), routes) : admitInternal(req, request, routes);
  }
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
  switch (route.outcome) {
    case 'forbidden':
      return { outcome: 'refused', refusal: refusal('gateway_call_forbidden', { caller: caller.name, service: route.name }), close: false };
    case 'absent':
      return { outcome: 'refused', refusal: refusal('gateway_no_instance', {}), close: false };
    case 'routed':
      return { outcome: 'admitted', service: route.service, target: route.target, caller: caller.name, request };
  }
}
