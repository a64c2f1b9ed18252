import { hash } from 'node:crypto';
import type { Backend } from '../balancing/choose.ts';
import type { Instance } from '../balancing/instance.ts';
import type { Outliers } from '../balancing/outliers.ts';
import type { RetryBudget } from '../balancing/retry-budget.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import type { RequestHead } from '../http/downstream.ts';
import type { Limiter, Priority } from '../limits/limiter.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import type { Split } from './split.ts';

/** One service, compiled: everything a request needs is reachable from here without looking anything up. */
export interface RoutedService {
  readonly environment: string;
  readonly name: string;
  readonly backends: readonly Backend[];
  /** Set where it is only this release of the service, reached by an address of its own. */
  readonly only?: string;
  readonly instances: readonly Instance[];
  readonly health: { readonly path?: string | undefined; readonly intervalMs: number; readonly timeoutMs: number };
  /** By name; undefined stands for a service that may be called but is not deployed. */
  readonly calls: Map<string, RoutedService | undefined>;
  /** What is undefined of the following is not asked for by the table; `split` is there whenever there are releases. */
  readonly split?: Split;
  /** `refreshReady` keeps its capacity, `tickPolicies` its timeouts. */
  readonly limiter?: Limiter;
  readonly priority?: Priority;
  /** Requests one instance works on at a time. */
  readonly concurrency?: number;
  /** How many of the service's requests this process may run at a time. Undefined: what its instances can. */
  readonly granted?: () => number;
  /** All must let a request pass; `keyOf` gives the key of a request. */
  readonly rateLimiters?: readonly RateLimit[];
  readonly cache?: ResponseCache;
  readonly mirror?: {
    readonly backend: Backend;
    readonly percent: number;
    readonly bodyBytes: number;
    readonly methods?: readonly string[] | undefined;
  };
  readonly retryBudget?: RetryBudget;
  /** To be told how each request to an instance ended; ejects and takes back by itself, the latter by `tickPolicies`. */
  readonly outliers?: Outliers;
}

export interface RateLimit {
  readonly limiter: RateLimiter;
  readonly keyOf: (head: RequestHead, caller: string | undefined) => string;
}

interface PathRoute {
  /** Without trailing slash; longest first in its list. */
  readonly prefix: string;
  readonly service: RoutedService;
}

/** A routing table, compiled once. Immutable but for the health kept in its backends. */
export interface Routes {
  readonly version: number;
  /** environment -> host -> paths */
  readonly exposed: ReadonlyMap<string, ReadonlyMap<string, readonly PathRoute[]>>;
  /** SHA-256 of a token (hex) -> the service it stands for. */
  readonly callers: ReadonlyMap<string, RoutedService>;
  readonly services: readonly RoutedService[];
}

/** The service that answers for a host (as `normalizedHost` gives it) and a path (with or without query) in an environment. */
export function publicRoute(routes: Routes, environment: string, host: string, target: string): RoutedService | undefined {
  const paths = routes.exposed.get(environment)?.get(host);
  if (paths === undefined) return undefined;
  for (const { prefix, service } of paths) {
    if (isUnder(prefix, target)) return service;
  }
  return undefined;
}

/** Whether the path of `target` is `prefix` itself or goes on below it: `/api` covers `/api` and `/api/x`, not `/apis`. */
function isUnder(prefix: string, target: string): boolean {
  if (!target.startsWith(prefix)) return false;
  if (target.length === prefix.length) return true;
  const next = target.charCodeAt(prefix.length);
  return next === 47 || next === 63;
}

/** The service a token identifies. The table is searched by digest, so the time it takes says nothing about any token. */
export function callerOf(routes: Routes, token: string): RoutedService | undefined {
  return routes.callers.get(hash('sha256', token, 'hex'));
}

export type InternalRoute =
  | { readonly outcome: 'routed'; readonly service: RoutedService; readonly target: string }
  | { readonly outcome: 'forbidden'; readonly name: string }
  | { readonly outcome: 'absent' };

/**
 * Where a call from `caller` to `/<service>/<path>` goes; the first segment is taken off. A name outside the caller's `calls` is forbidden
 * whether it exists or not, and other environments cannot be named at all.
 */
export function internalRoute(caller: RoutedService, target: string): InternalRoute {
  const end = segmentEnd(target);
  const name = target.slice(1, end);
  if (!caller.calls.has(name)) return { outcome: 'forbidden', name };
  const service = caller.calls.get(name);
  if (service === undefined) return { outcome: 'absent' };
  const rest = target.slice(end);
  return { outcome: 'routed', service, target: rest.startsWith('/') ? rest : `/${rest}` };
}

function segmentEnd(target: string): number {
  for (let index = 1; index < target.length; index += 1) {
    const code = target.charCodeAt(index);
    if (code === 47 || code === 63) return index;
  }
  return target.length;
}
