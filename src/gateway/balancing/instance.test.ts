import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createInstances, type Instance } from './instance.ts';

const spec = { environment: 'e', service: 's', host: '127.0.0.1', port: 1, release: 'r', state: 'active' } as const;

test('an instance keeps its count and health over tables, and is another one at another address', () => {
  const instances = createInstances();
  const first = instances.admit({ ...spec, id: 'a' });
  instances.acquire(first);
  first.healthy = false;
  expect(instances.admit({ ...spec, id: 'a', state: 'draining' })).toBe(first);
  expect(first).toMatchObject({ inFlight: 1, healthy: false, state: 'draining' });
  expect(instances.admit({ ...spec, id: 'a', port: 2 })).not.toBe(first);
});

test('a release too many is a defect that is not hidden', () => {
  const instances = createInstances();
  const idle = instances.admit({ ...spec, id: 'a' });
  expect(() => instances.release(idle)).toThrow('negative');
});

test('counts are exact and an instance is forgotten exactly when it is removed and idle, over any history', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('table' as const), ids: fc.subarray(['a', 'b', 'c']) }),
    fc.record({ do: fc.constantFrom('acquire' as const, 'release' as const), id: fc.constantFrom('a', 'b', 'c') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const forgotten: Instance[] = [];
      const instances = createInstances((instance) => forgotten.push(instance));
      let current = new Map<string, Instance>();
      const work: Instance[] = [];
      for (const each of steps) {
        if (each.do === 'table') {
          current = new Map(each.ids.map((id) => [id, instances.admit({ ...spec, id })]));
          instances.settle(new Set(current.values()));
        } else if (each.do === 'acquire') {
          const instance = current.get(each.id);
          if (instance) {
            instances.acquire(instance);
            work.push(instance);
          }
        } else {
          const at = work.findIndex(({ id }) => id === each.id);
          if (at >= 0) instances.release(work.splice(at, 1)[0] as Instance);
        }
        const expected = new Set([...current.values(), ...work]);
        expect(new Set(instances.all())).toEqual(expected);
        for (const instance of expected) expect(instance.inFlight).toBe(work.filter((one) => one === instance).length);
      }
      expect(forgotten.every((instance) => instance.state === 'removed' && instance.inFlight === 0)).toBe(true);
    }),
  );
});
