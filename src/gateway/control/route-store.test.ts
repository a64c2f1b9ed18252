import { createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../store/memory-store.ts';
import { backend, routeOf } from '../testing/rig.ts';
import { createRouteStore } from './route-store.ts';

const route = (name: string, environment = 'test') =>
  routeOf({ name, environment, expose: [{ host: `${name}.test`, path: '/' }], tokenDigests: [], backends: [backend('r1', 1, { a: 1 })] });

describe('the stored routing', () => {
  test('is one table of all services with a version that grows by one with every change', async () => {
    const routes = createRouteStore(createMemoryStore());
    expect(await routes.table()).toEqual({ version: 0, listeners: [], services: [] });
    await routes.put(route('a'));
    const { version } = await routes.table();
    await routes.put(route('b'));
    await routes.put(route('b'));
    const table = await routes.table();
    expect(table.version).toBe(version + 1);
    expect(table.services.map((service) => service.name)).toEqual(['a', 'b']);
    await routes.remove({ environment: 'test', name: 'a' });
    await routes.remove({ environment: 'test', name: 'a' });
    expect(await routes.table()).toMatchObject({ version: version + 2, services: [{ name: 'b' }] });
  });

  test('keeps every change of concurrent publishers, in one control plane and in several', async () => {
    const store = createMemoryStore();
    const planes = [createRouteStore(store), createRouteStore(store)];
    await planes[0]?.listener('test');
    const putAt = async (index: number): Promise<void> => planes[Math.floor(index / 9)]?.put(route(`s${index}`));
    await Promise.all(Array.from({ length: 10 }, (_each, index) => putAt(index)));
    expect((await createRouteStore(store).table()).services).toHaveLength(10);
  });

  test('is read anew when another control plane has changed it, whatever either remembers', async () => {
    const act = fc.record({
      plane: fc.nat(1),
      name: fc.constantFrom('a', 'b', 'c'),
      weight: fc.nat(3),
      what: fc.constantFrom('put', 'remove', 'settings', 'look'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
        const store = createMemoryStore();
        const planes = [createRouteStore(store), createRouteStore(store)] as const;
        for (const { plane, name, weight, what } of acts) {
          const own = planes[plane as 0 | 1];
          if (what === 'put') await own.put({ ...route(name), backends: [backend('r1', weight, { a: 1 })] });
          else if (what === 'remove') await own.remove({ environment: 'test', name });
          else if (what === 'settings') await own.configure('test', { port: 20_000 + weight });
          expect(await own.table()).toEqual(await createRouteStore(store).table());
        }
      }),
      { numRuns: 30, seed: 5 },
    );
  });

  test('does not take a route that contradicts another, and is not poisoned by it', async () => {
    const routes = createRouteStore(createMemoryStore());
    await routes.put(route('a'));
    const before = await routes.table();
    await expect(routes.put({ ...route('b'), expose: [{ host: 'A.test', path: '/' }] })).rejects.toMatchObject({
      code: 'gateway_table_invalid',
    });
    expect(await routes.table()).toEqual(before);
  });

  test('rises above what a gateway remembers', async () => {
    const routes = createRouteStore(createMemoryStore());
    await routes.put(route('a'));
    await routes.raiseAbove(57);
    expect((await routes.table()).version).toBe(58);
    await routes.raiseAbove(3);
    expect((await routes.table()).version).toBe(58);
  });
});

describe('the engine of the gateway', () => {
  test('is the one that was named last, for every environment that names one', async () => {
    const routes = createRouteStore(createMemoryStore());
    expect((await routes.table()).engine).toBeUndefined();
    await routes.configure('staging', { engine: 'embedded' });
    await routes.configure('plain', {});
    expect((await routes.table()).engine).toBe('embedded');
    await routes.configure('production', { engine: 'haproxy' });
    expect((await routes.table()).engine).toBe('haproxy');
    expect([await routes.settings('staging'), await routes.settings('plain')]).toEqual([{ engine: 'haproxy' }, {}]);
    await routes.configure('production', undefined);
    expect((await routes.table()).engine).toBe('haproxy');
    await routes.configure('staging', {});
    expect((await routes.table()).engine).toBeUndefined();
  });
});

describe('public ports', () => {
  test('are chosen once per environment, never shared, and listened on only while there is a service', async () => {
    const store = createMemoryStore();
    const routes = createRouteStore(store);
    const [one, two] = [await routes.listener('one'), await routes.listener('two')];
    expect(one.port).toBeGreaterThanOrEqual(7_080);
    expect(two.port).not.toBe(one.port);
    expect((await routes.table()).listeners).toEqual([]);
    await routes.put(route('a', 'two'));
    expect((await routes.table()).listeners).toEqual([two]);
    await routes.remove({ environment: 'two', name: 'a' });
    expect((await routes.table()).listeners).toEqual([]);
    expect(await createRouteStore(store).listener('two')).toEqual(two);
  });

  test('skip what another program uses', async () => {
    const routes = createRouteStore(createMemoryStore());
    const first = await routes.listener('one');
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(first.port, '127.0.0.1', resolve);
    });
    const moved = await routes.moveListener('one');
    expect(moved?.port).toBeGreaterThan(first.port);
    expect(await routes.listener('one')).toEqual(moved);
    taken.close();
  });
});

test('an address and a port that are given hold, whatever was chosen before, and are moved by nobody', async () => {
  const routes = createRouteStore(createMemoryStore());
  await routes.put(route('a', 'one'));
  const chosen = await routes.listener('one');
  await routes.configure('one', { address: '0.0.0.0', port: 8_080 });
  expect((await routes.table()).listeners).toEqual([{ environment: 'one', host: '0.0.0.0', port: 8_080 }]);
  expect(await routes.listener('one')).toEqual({ environment: 'one', host: '0.0.0.0', port: 8_080 });
  expect(await routes.moveListener('one')).toBeUndefined();
  await expect(routes.configure('two', { address: '0.0.0.0', port: 8_080 })).rejects.toMatchObject({ code: 'gateway_table_invalid' });
  await routes.configure('one', undefined);
  expect(await routes.listener('one')).toEqual(chosen);
});
