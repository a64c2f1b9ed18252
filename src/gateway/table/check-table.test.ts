import { expect, test } from 'vitest';
import { SluiceError } from '../../errors/sluice-error.ts';
import { backend, type PartialRoute, routeOf } from '../testing/rig.ts';
import { parseTable } from './check-table.ts';

const listeners = [{ environment: 'test', host: '127.0.0.1', port: 7_080 }];
const tableOf = (...services: PartialRoute[]): unknown => ({ version: 1, listeners, services: services.map(routeOf) });

function reasonOf(table: unknown): string {
  try {
    parseTable(table);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'gateway_table_invalid') return error.message;
    throw error;
  }
  throw new Error('the table was accepted');
}

test('a sound table is taken as it is', () => {
  const table = tableOf({ backends: [backend('r1', 1, { a: 1 })] }, { name: 'b', expose: [{ host: 'app.test', path: '/b' }] });
  expect(parseTable(table)).toEqual(table);
});

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'table: '],
  ['a negative version', { version: -1, listeners: [], services: [] }, 'version'],
  [
    'two listeners of an environment',
    { version: 1, listeners: [...listeners, { ...listeners[0], port: 1 }], services: [] },
    'two listeners',
  ],
  [
    'two listeners on a port',
    { version: 1, listeners: [...listeners, { ...listeners[0], environment: 'x' }], services: [] },
    'share 127.0.0.1:7080',
  ],
  ['a port out of range', { version: 1, listeners: [{ ...listeners[0], port: 70_000 }], services: [] }, 'out of range'],
  ['a service twice', tableOf({}, { expose: [], tokenDigests: [] }), 'listed twice'],
  ['one address for two services', tableOf({}, { name: 'b', expose: [{ host: 'APP.test.', path: '/' }] }), 'expose APP.test./'],
  [
    'one address with and without slash',
    tableOf({ expose: [{ host: 'h', path: '/a' }] }, { name: 'b', expose: [{ host: 'h', path: '/a/' }] }),
    'expose h/a/',
  ],
  ['an exposed service without a listener', tableOf({ environment: 'x' }), 'no listener'],
  ['a host that is none', tableOf({ expose: [{ host: 'a b', path: '/' }] }), 'not a host name'],
  ['a relative path', tableOf({ expose: [{ host: 'h', path: 'a' }] }), 'not an absolute path'],
  ['a path with a line break', tableOf({ expose: [{ host: 'h', path: '/a\r\nX: y' }] }), 'not an absolute path'],
  ['a token in plain', tableOf({ tokenDigests: ['secret'] }), 'not SHA-256'],
  [
    'one token for two services',
    tableOf({ tokenDigests: ['a'.repeat(64)] }, { name: 'b', expose: [], tokenDigests: ['a'.repeat(64)] }),
    'shares a token',
  ],
  ['an instance twice', tableOf({ backends: [backend('r1', 1, { a: 1 }), backend('r2', 1, { a: 2 })] }), "instance 'a'"],
  ['a negative weight', tableOf({ backends: [backend('r1', -1, {})] }), 'weight'],
  ['a weight that is no number', tableOf({ backends: [backend('r1', Number.NaN, {})] }), 'weight'],
  ['an interval of zero', tableOf({ health: { intervalMs: 0, timeoutMs: 1 } }), 'above zero'],
  ['an affinity to no cookie', tableOf({ split: { salt: 's', affinity: { by: 'cookie', name: 'a=b' } } }), "cookie 'a=b'"],
  ['an override that is no header', tableOf({ split: { salt: 's', overrideHeader: 'a b' } }), 'override header'],
  [
    'a rate limit by no header',
    tableOf({ rateLimits: [{ key: { by: 'header', name: '' }, requests: 1, perMs: 1, burst: 1 }] }),
    'rate limit header',
  ],
  ['answers that vary by no header', tableOf({ cache: { ttlMs: 1, methods: [], vary: ['a:'], maxBytes: 1 } }), 'cache header'],
  ['a mirror that is not there', tableOf({ mirror: { release: 'r9', percent: 1, bodyBytes: 1 } }), "release 'r9'"],
  ['a health path with a line break', tableOf({ health: { path: '/a\nb', intervalMs: 1, timeoutMs: 1 } }), 'health path'],
])('%s is refused with the reason', (_name, table, reason) => {
  expect(reasonOf(table)).toContain(reason);
});

test('all reasons are given at once and none contains a token', () => {
  const reason = reasonOf(tableOf({ tokenDigests: ['plain-secret'], expose: [{ host: 'a b', path: 'x' }] }));
  expect(reason.split('; ')).toHaveLength(3);
  expect(reason).not.toContain('plain-secret');
});
