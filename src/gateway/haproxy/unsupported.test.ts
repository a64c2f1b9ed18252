import { expect, test } from 'vitest';
import type { ListenerRoute, ServiceRoute } from '../routing-table.ts';
import { backend, routeOf } from '../testing/rig.ts';
import { unsupportedByHaproxy } from './unsupported.ts';

const listener: ListenerRoute = { environment: 'test', host: '127.0.0.1', port: 80 };
const found = (service: Partial<ServiceRoute>): readonly string[] =>
  unsupportedByHaproxy({ version: 1, listeners: [listener], services: [routeOf(service)] });

test('a table of what HAProxy can do is supported', () => {
  const split = { salt: 'any | salt', affinity: { by: 'cookie', name: 'uid' } as const, overrideHeader: 'x-release' };
  const limits = { concurrency: 4, queue: 10, queueMs: 100, priority: 'low' as const };
  expect(found({ split, limits, backends: [backend('a', 1, { a: 1 }), backend('b', 1, { b: 2 })] })).toEqual([]);
});

test.each([
  ['mirror', { mirror: { release: 'r', percent: 1, bodyBytes: 1 } }],
  ['cache', { cache: { ttlMs: 1, methods: ['GET' as const], vary: [], maxBytes: 1 } }],
  ['slow start', { slowStartMs: 5 }],
  ['evidence', { evidence: { id: 'e', latencyThresholdsMs: [], unitWindowMs: 1 } }],
  ['outliers', { outliers: { consecutiveFailures: 1, ejectionMs: 1, maxEjectedPercent: 1 } }],
  ['retry budget', { retryBudget: 0.1 }],
  [
    'address is a name',
    { backends: [{ release: 'r', weight: 1, instances: [{ id: 'a', host: 'db', port: 1, state: 'active' as const }] }] },
  ],
  ['configuration cannot hold', { split: { salt: 's', overrideHeader: 'x-a\n  http-request deny' } }],
  ['configuration cannot hold', { expose: [{ host: 'app.test', path: '/a b' }] }],
])('%s is named with the service and what to do', (what, service) => {
  const [only, ...others] = found(service);
  expect(others).toEqual([]);
  expect(only).toContain(what);
  expect(only).toMatch(/service 'app' of 'test' .*gateway\.engine to embedded/);
});

test('an encrypted listener is named with its environment', () => {
  const tls = { port: 443, certificates: [] };
  expect(unsupportedByHaproxy({ version: 1, listeners: [{ ...listener, tls }], services: [] }).join()).toContain("environment 'test'");
});
