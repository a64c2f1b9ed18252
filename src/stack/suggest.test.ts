import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from './suggest.ts';

describe('editDistance', () => {
  it.each([
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['replica', 'replicas', 1],
    ['servcie', 'service', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('from %j to %j is %i', (left, right, distance) => {
    expect(editDistance(left, right)).toBe(distance);
  });

  it('is the same in both directions and zero only for equal texts', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (left, right) => {
        const distance = editDistance(left, right);
        expect(distance).toBe(editDistance(right, left));
        expect(distance === 0).toBe(left === right);
        expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
      }),
    );
  });
});

describe('nearestName', () => {
  it('is the candidate that was most likely meant', () => {
    expect(nearestName('retrieval-agnet', ['reasoning-agent', 'retrieval-agent'])).toBe('retrieval-agent');
  });

  it('is nothing when nothing is near, or the name is too short or too long to tell', () => {
    expect(nearestName('queue', ['database', 'service'])).toBeUndefined();
    expect(nearestName('ab', ['ac'])).toBeUndefined();
    expect(nearestName('a'.repeat(65), ['a'.repeat(64)])).toBeUndefined();
  });
});
