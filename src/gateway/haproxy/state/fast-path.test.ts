import { expect, test } from 'vitest';
import type { ListenerRoute, ServiceRoute } from '../../routing-table.ts';
import { backend, routeOf } from '../../testing/rig.ts';
import { fastRelease } from './fast-path.ts';
import { relayed, routeEntries } from './route-entries.ts';

const one = { backends: [backend('r1', 1, { a: 1 })] };
const fast = (more: Partial<ServiceRoute>, isReady = (_release: string): boolean => true): string | undefined =>
  fastRelease(routeOf({ ...one, ...more }), isReady)?.release;

test('a service of one release that asks for nothing more is answered by HAProxy itself', () => {
  expect(fast({})).toBe('r1');
  expect(fast({ limits: { queue: 0, queueMs: 0, priority: 'low' }, split: { salt: 's' }, slowStartMs: 0, rateLimits: [] })).toBe('r1');
});

test.each<[string, Partial<ServiceRoute>]>([
  ['a mirror', { mirror: { release: 'r', percent: 1, bodyBytes: 1 } }],
  ['a cache', { cache: { ttlMs: 1, methods: ['GET'], vary: [], maxBytes: 1 } }],
  ['a slow start', { slowStartMs: 5 }],
  ['evidence', { evidence: { id: 'e', latencyThresholdsMs: [] } }],
  ['outliers', { outliers: { consecutiveFailures: 1, ejectionMs: 1, maxEjectedPercent: 1 } }],
  ['a retry budget', { retryBudget: 0.1 }],
  ['a limit of concurrency', { limits: { concurrency: 1, queue: 0, queueMs: 0, priority: 'normal' } }],
  ['a rate limit', { rateLimits: [{ key: { by: 'client' }, requests: 1, perMs: 1, burst: 1 }] }],
  ['cohorts', { split: { salt: 's', affinity: { by: 'user' } } }],
  ['a header for testers', { split: { salt: 's', overrideHeader: 'x-release' } }],
  ['an instance under a name', { backends: [{ release: 'r', weight: 1, instances: [{ id: 'a', host: 'db', port: 1, state: 'active' }] }] }],
  ['two releases with weight', { backends: [backend('r1', 1, { a: 1 }), backend('r2', 1, { b: 2 })] }],
  ['no active instance', { backends: [backend('r1', 1, { a: { port: 1, draining: true } })] }],
])('%s is the embedded engine’s affair', (_what, more) => {
  expect(fast(more)).toBeUndefined();
});

test('of two releases with weight the only one that is ready gets all', () => {
  const backends = [backend('r1', 1, { a: 1 }), backend('r2', 1, { b: 2 })];
  expect(fast({ backends }, (release) => release === 'r2')).toBe('r2');
});

test('every route is listed with and without the port, and what is not HAProxy’s own stands before a shorter one', () => {
  const listener: ListenerRoute = { environment: 'test', host: '127.0.0.1', port: 80 };
  const services = [routeOf({ name: 'app' }), routeOf({ name: 'api', expose: [{ host: 'App.test', path: '/api' }] })];
  const entries = routeEntries(listener, services, ({ name }) => (name === 'app' ? 's1' : undefined));
  expect(Object.fromEntries(entries)).toEqual({
    'app.test/': 's1',
    'app.test:80/': 's1',
    'app.test/api/': relayed,
    'app.test:80/api/': relayed,
  });
  const encrypted = { ...listener, tls: { port: 443, certificates: [] } };
  expect(new Set(routeEntries(encrypted, services, () => 's1').values())).toEqual(new Set([relayed]));
});
