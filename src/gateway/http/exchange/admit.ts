import { refusal, type Refusal } from '../answer.ts';
import type { RequestHead } from '../downstream.ts';
import { callerOf, internalRoute, publicRoute, type RoutedService, type Routes } from '../../routing/routes.ts';
import { fieldKind, kind } from '../wire/field-kinds.ts';

/** Which listener a request came in by. The environment of a public listener can change hands with a table. */
export type Side = { readonly kind: 'public'; readonly environment: () => string | undefined } | { readonly kind: 'internal' };

export type Admission =
  | { readonly outcome: 'admitted'; readonly service: RoutedService; readonly target: string; readonly caller: string | undefined }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** Decides whether and to which service a request goes. */
export function admit(head: RequestHead, side: Side, routes: Routes): Admission {
  return side.kind === 'public' ? admitPublic(head, side.environment(), routes) : admitInternal(head, routes);
}

function admitPublic(head: RequestHead, environment: string | undefined, routes: Routes): Admission {
  const service = environment === undefined ? undefined : publicRoute(routes, environment, head.host, head.target);
  if (service === undefined) return refused(refusal('gateway_route_unknown', {}));
  return { outcome: 'admitted', service, target: head.target, caller: undefined };
}

function admitInternal(head: RequestHead, routes: Routes): Admission {
  const token = tokenIn(head.headers);
  const caller = token === undefined ? undefined : callerOf(routes, token);
  if (caller === undefined) return refused(refusal('gateway_unauthenticated', {}));
  const route = internalRoute(caller, head.target);
  if (route.outcome === 'routed') return { outcome: 'admitted', service: route.service, target: route.target, caller: caller.name };
  return refused(
    route.outcome === 'absent'
      ? refusal('gateway_no_instance', {})
      : refusal('gateway_call_forbidden', { caller: caller.name, service: route.name }),
  );
}

function refused(given: Refusal): Admission {
  return { outcome: 'refused', refusal: given };
}

/** The only token; two are as good as none. */
function tokenIn(headers: readonly string[]): string | undefined {
  let token: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    if (fieldKind(headers[index] as string) !== kind.sluiceToken) continue;
    if (token !== undefined) return undefined;
    token = headers[index + 1];
  }
  return token === '' ? undefined : token;
}
