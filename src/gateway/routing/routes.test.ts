import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createInstances } from '../balancing/instance.ts';
import { routeOf, token } from '../testing/rig.ts';
import { compileTable } from '../table/compile-table.ts';
import { normalizedHost } from './host.ts';
import { callerOf, internalRoute, publicRoute, type Routes } from './routes.ts';

function routesOf(...services: Parameters<typeof routeOf>[0][]): Routes {
  const environments = ['test', 'other'];
  const listeners = environments.map((environment, index) => ({ environment, host: '127.0.0.1', port: 1_000 + index }));
  return compileTable({ version: 1, listeners, services: services.map(routeOf) }, createInstances()).routes;
}

describe('hosts', () => {
  test.each([
    ['App.Test', 'app.test'],
    ['app.test:8080', 'app.test'],
    ['app.test.', 'app.test'],
    ['APP.TEST.:1', 'app.test'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]:80', '[::1]'],
    ['my_app', 'my_app'],
  ])('%s is %s', (given, expected) => expect(normalizedHost(given)).toBe(expected));

  test.each(['', '.', ':80', 'a b', 'a/b', 'a@b', 'a,b', 'a:b', 'a:123456', '-a', 'a\0b', '::1', '[::1', 'ä.test', 'a'.repeat(300)])(
    '%j is no host',
    (given) => expect(normalizedHost(given)).toBeUndefined(),
  );
});

describe('public routes', () => {
  const routes = routesOf(
    { name: 'root', expose: [{ host: 'app.test', path: '/' }] },
    { name: 'api', expose: [{ host: 'APP.test', path: '/api' }] },
    { name: 'api-v2', expose: [{ host: 'app.test', path: '/api/v2/' }] },
    { name: 'elsewhere', environment: 'other', expose: [{ host: 'app.test', path: '/' }] },
    { name: 'hidden', expose: [] },
  );
  const named = (host: string, target: string, environment = 'test'): string | undefined =>
    publicRoute(routes, environment, host, target)?.name;

  test.each([
    ['/', 'root'],
    ['/?q=/api', 'root'],
    ['/apis', 'root'],
    ['/API', 'root'],
    ['/api', 'api'],
    ['/api?x', 'api'],
    ['/api/', 'api'],
    ['/api/v20', 'api'],
    ['/api/v2', 'api-v2'],
    ['/api/v2?x', 'api-v2'],
    ['/api/v2/deep/er', 'api-v2'],
  ])('%s goes to %s', (target, expected) => expect(named('app.test', target)).toBe(expected));

  test('an unknown host, a host of another environment and an unexposed service have no route', () => {
    expect(named('unknown.test', '/')).toBeUndefined();
    expect(named('app.test', '/', 'staging')).toBeUndefined();
    expect(named('app.test', '/', 'other')).toBe('elsewhere');
    expect(named('hidden', '/')).toBeUndefined();
  });

  test('the longest prefix that ends on a segment boundary wins, whatever the order of the table', () => {
    const segments = fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(segments, { minLength: 1, maxLength: 8, selector: (each) => each.join('/') }),
        segments,
        (prefixes, wanted) => {
          const all = routesOf(
            ...prefixes.map((prefix, index) => ({ name: `s${index}`, expose: [{ host: 'h', path: `/${prefix.join('/')}` }] })),
          );
          const fits = prefixes
            .map((prefix, index) => ({ prefix, index }))
            .filter(({ prefix }) => prefix.every((part, at) => wanted[at] === part));
          const best = fits.toSorted((left, right) => right.prefix.length - left.prefix.length)[0];
          expect(publicRoute(all, 'test', 'h', `/${wanted.join('/')}`)?.name).toBe(best && `s${best.index}`);
        },
      ),
    );
  });
});

describe('internal routes', () => {
  const routes = routesOf(
    { name: 'caller', expose: [], calls: ['callee', 'undeployed'] },
    { name: 'callee', expose: [] },
    { name: 'private', expose: [] },
    { name: 'callee', environment: 'other', expose: [], tokenDigests: [] },
  );
  const caller = callerOf(routes, token('caller'));

  test('a token stands for its service, anything else for none', () => {
    expect(caller?.name).toBe('caller');
    expect(callerOf(routes, 'guess')).toBeUndefined();
    expect(callerOf(routes, '')).toBeUndefined();
  });

  test.each([
    ['/callee', '/'],
    ['/callee/', '/'],
    ['/callee?q=1', '/?q=1'],
    ['/callee/a/b?q=/x', '/a/b?q=/x'],
    ['/callee//double', '//double'],
  ])('%s arrives as %s in the caller’s own environment', (target, expected) => {
    expect(caller && internalRoute(caller, target)).toMatchObject({
      outcome: 'routed',
      service: { name: 'callee', environment: 'test' },
      target: expected,
    });
  });

  test.each(['/', '/private/x', '/nobody', '/CALLEE', '/%63allee', '/other/callee', '//callee'])('%s is forbidden', (target) => {
    expect(caller && internalRoute(caller, target)).toMatchObject({ outcome: 'forbidden' });
  });

  test('a declared service that is not deployed is absent, not forbidden', () => {
    expect(caller && internalRoute(caller, '/undeployed')).toEqual({ outcome: 'absent' });
  });
});
