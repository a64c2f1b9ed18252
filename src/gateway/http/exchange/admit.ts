import { refusal, type Refusal } from '../answer.ts';
import type { RequestHead } from '../downstream.ts';
import type { Priority } from '../../limits/limiter.ts';
import { callerOf, internalRoute, publicRoute, type RoutedService, type Routes } from '../../routing/routes.ts';
import { fieldKind, kind } from '../wire/field-kinds.ts';

/** Which listener a request came in by. The environment of a public listener can change hands with a table. */
export type Side =
  | {
      readonly kind: 'public';
      readonly environment: () => string | undefined;
      /** What the listener answers by itself, before any routing. */
      readonly answer?: (head: RequestHead) => Refusal | undefined;
    }
  | { readonly kind: 'internal' };

export type Admission =
  | {
      readonly outcome: 'admitted';
      readonly service: RoutedService;
      readonly target: string;
      readonly caller: string | undefined;
      /** How urgent the request is: by its service from the public, by its caller between services. */
      readonly priority: Priority;
    }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** Decides whether and to which service a request goes. */
export function admit(head: RequestHead, side: Side, routes: Routes): Admission {
  if (side.kind === 'internal') return admitInternal(head, routes);
  const own = side.answer?.(head);
  return own === undefined ? admitPublic(head, side.environment(), routes) : refused(own);
}

function admitPublic(head: RequestHead, environment: string | undefined, routes: Routes): Admission {
  const service = environment === undefined ? undefined : publicRoute(routes, environment, head.host, head.target);
  if (service === undefined) return refused(refusal('gateway_route_unknown', {}));
  return { outcome: 'admitted', service, target: head.target, caller: undefined, priority: service.priority ?? 'normal' };
}

function admitInternal(head: RequestHead, routes: Routes): Admission {
  const token = tokenIn(head.headers);
  const caller = token === undefined ? undefined : callerOf(routes, token);
  if (caller === undefined) return refused(refusal('gateway_unauthenticated', {}));
  const route = internalRoute(caller, head.target);
  if (route.outcome === 'routed') {
    const { service, target } = route;
    return { outcome: 'admitted', service, target, caller: caller.name, priority: caller.priority ?? 'normal' };
  }
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
