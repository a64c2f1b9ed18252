import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../digest/json.ts';
import { diffLeaves, touches } from './diff.ts';

describe('the difference of two values', () => {
  it('names each differing leaf by its dotted path', () => {
    const before = { size: 'S', nic: { ip: '10.0.0.4', name: 'a' }, gone: true };
    const after = { size: 'L', nic: { ip: '10.0.0.5', name: 'a' }, tags: { team: { name: 'x' } } };
    expect(diffLeaves(before, after)).toEqual([
      { path: 'gone', before: true },
      { path: 'nic.ip', before: '10.0.0.4', after: '10.0.0.5' },
      { path: 'size', before: 'S', after: 'L' },
      { path: 'tags.team.name', after: 'x' },
    ]);
  });

  it('compares lists of equal length by element and others as a whole', () => {
    expect(diffLeaves({ calls: ['a', 'b'] }, { calls: ['a', 'c'] })).toEqual([{ path: 'calls.1', before: 'b', after: 'c' }]);
    expect(diffLeaves({ calls: ['a'] }, { calls: ['a', 'c'] })).toEqual([{ path: 'calls', before: ['a'], after: ['a', 'c'] }]);
  });

  it('keeps an empty object and a value that became an object as leaves', () => {
    expect(diffLeaves({}, { env: {} })).toEqual([{ path: 'env', after: {} }]);
    expect(diffLeaves({ env: 1 }, { env: { a: 1 } })).toEqual([{ path: 'env', before: 1, after: { a: 1 } }]);
    expect(diffLeaves({ a: null }, { a: null })).toEqual([]);
  });

  it('is empty exactly for equal values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        expect(diffLeaves(left as Json, structuredClone(left) as Json)).toEqual([]);
        const same = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
        expect(diffLeaves(left as Json, right as Json).length === 0).toBe(same);
      }),
    );
  });

  it('finds a field that holds, is, or lies below another', () => {
    const paths = ['network.ip', 'version'];
    expect(['version', 'version.major', 'network', 'network.ip'].map((path) => touches(paths, path))).toEqual([true, true, true, true]);
    expect(['versions', 'network.name', 'size'].map((path) => touches(paths, path))).toEqual([false, false, false]);
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  // Marked, so that an empty object is not taken for an empty list.
  return ['object', ...members.map(([key, member]) => [key, sorted(member)])];
}
