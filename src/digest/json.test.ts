import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json, jsonEquals } from './json.ts';

const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;

describe('equality of JSON values', () => {
  it('is equality of their canonical texts', () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        expect(jsonEquals(left, right)).toBe(canonicalJson(left) === canonicalJson(right));
        expect(jsonEquals(left, structuredClone(left))).toBe(true);
        expect(jsonEquals({ a: left, b: [right] }, { b: [right], a: left })).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('takes an absent key for one without a value, and a number that JSON does not know for null', () => {
    const absent = { a: 1, b: undefined } as unknown as Json;
    expect([jsonEquals(absent, { a: 1 }), jsonEquals({ a: 1 }, absent), jsonEquals({ a: 1 }, { a: 1, b: null })]).toEqual([
      true,
      true,
      false,
    ]);
    expect([jsonEquals(Number.NaN, null), jsonEquals([Infinity], [null]), jsonEquals([], {})]).toEqual([true, true, false]);
  });
});
