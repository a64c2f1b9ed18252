import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createInstances } from '../balancing/instance.ts';
import type { RoutedService, Routes } from '../routing/routes.ts';
import type { RoutingTable } from '../routing-table.ts';
import { backend, routeOf } from '../testing/rig.ts';
import { parseTable } from './check-table.ts';
import { type CompiledTable, compileTable } from './compile-table.ts';
import { createPolicyMemory } from './service-policies.ts';
import { applyChange, changeOf, isSameTable, serviceKey, sharingServices } from './table-change.ts';

const listeners = [{ environment: 'test', host: '127.0.0.1', port: 7_080 }];
const names = ['a', 'b', 'c', 'd'];
const service = fc.record({
  name: fc.constantFrom(...names),
  weight: fc.nat(2),
  calls: fc.subarray(names),
  path: fc.constantFrom('/', '/deep'),
  ids: fc.subarray(['i1', 'i2', 'i3']),
});
const services = fc.uniqueArray(service, { selector: ({ name }) => name });

function tableOf(version: number, given: readonly { name: string; weight: number; calls: string[]; path: string; ids: string[] }[]) {
  const routes = given.map(({ name, weight, calls, path, ids }) =>
    routeOf({
      name,
      calls,
      expose: [{ host: `${name}.test`, path }],
      backends: [backend('r1', weight, Object.fromEntries(ids.map((id) => [id, 1]))), backend('r2', 1, { [name]: 2 })],
    }),
  );
  return parseTable({ version, listeners, services: routes });
}

const byName = (table: RoutingTable) => table.services.toSorted((one, other) => serviceKey(one).localeCompare(serviceKey(other)));

test('a change told and made gives the next table, with the services that stay as they are left alone', () => {
  fc.assert(
    fc.property(fc.array(services, { minLength: 1, maxLength: 6 }), (history) => {
      let [told, table]: (RoutingTable | undefined)[] = [];
      for (const [version, given] of history.entries()) {
        const next: RoutingTable = sharingServices(told, tableOf(version, given));
        const change = changeOf(told, next);
        const made = applyChange(table, structuredClone(change));
        expect(byName(made)).toEqual(byName(next));
        expect({ ...made, services: [] }).toEqual({ ...next, services: [] });
        const changed = new Set(change.changed.map(serviceKey));
        const kept = made.services.filter((each) => !changed.has(serviceKey(each)));
        expect(kept.filter((each) => table?.services.includes(each) !== true)).toEqual([]);
        [told, table] = [next, made];
      }
    }),
  );
});

function partsOf(each: RoutedService): unknown {
  return {
    name: each.name,
    calls: new Map(Array.from(each.calls, ([name, other]) => [name, other && [other.name, other.backends[0]?.weight]])),
    backends: each.backends.map(({ release, weight, active, ready }) => [
      release,
      weight,
      active.map(({ key }) => key),
      ready.map(({ key }) => key),
    ]),
  };
}

/** What requests are routed by, as far as it can be compared. */
function seen({ exposed, callers, services: all }: Routes): unknown {
  return {
    exposed: Array.from(exposed, ([environment, hosts]) => [
      environment,
      new Map(Array.from(hosts, ([host, paths]) => [host, paths.map(({ prefix, service: each }) => [prefix, partsOf(each)])])),
    ]),
    callers: new Map(Array.from(callers, ([digest, each]) => [digest, partsOf(each)])),
    services: new Map(all.map((each) => [each.name, partsOf(each)])),
  };
}

test('compiling only what a change brings routes as compiling the whole table does', () => {
  fc.assert(
    fc.property(fc.array(services, { minLength: 1, maxLength: 6 }), (history) => {
      const instances = createInstances();
      const policies = createPolicyMemory(() => 0);
      let before: CompiledTable | undefined;
      for (const [version, given] of history.entries()) {
        const table: RoutingTable = sharingServices(before?.table, tableOf(version, given));
        before = compileTable(table, instances, { policies, ...(before && { before }) });
        const whole = createInstances();
        expect(seen(before.routes)).toEqual(seen(compileTable(table, whole).routes));
        expect(new Set(Array.from(instances.all(), ({ key }) => key))).toEqual(new Set(Array.from(whole.all(), ({ key }) => key)));
      }
    }),
  );
});

test('a table is the same in another order of services, and another when anything differs', () => {
  const [one, other] = [routeOf({ name: 'a' }), routeOf({ name: 'b', expose: [] })];
  const table = parseTable({ version: 1, listeners, services: [one, other] });
  const again = (value: object): RoutingTable =>
    sharingServices(table, parseTable({ version: 1, listeners, services: [other, one], ...value }));
  expect(isSameTable(table, again({}))).toBe(true);
  expect(isSameTable(table, again({ services: [one] }))).toBe(false);
  expect(isSameTable(table, again({ services: [one, { ...other, slowStartMs: 1 }] }))).toBe(false);
  expect(isSameTable(table, again({ listeners: [{ environment: 'test', host: '127.0.0.1', port: 1 }] }))).toBe(false);
  expect(isSameTable(table, again({ engine: 'auto' }))).toBe(false);
});

test('a change that was made for another table is not made', () => {
  const table = parseTable({ version: 1, listeners, services: [] });
  expect(() => applyChange(table, { base: 2, version: 3, listeners, changed: [], removed: [] })).toThrow('change of table 2');
  expect(() => applyChange(undefined, { base: 2, version: 3, listeners, changed: [], removed: [] })).toThrow('change of table 2');
});
