import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../stack/stack.ts';
import { type Edge, orderAlong } from './order.ts';

const address = (name: string | number): Address => `test/service/${name}`;
const edge = (earlier: string | number, later: string | number): Edge => ({ earlier: address(earlier), later: address(later) });
const list = (...names: string[]): Address[] => names.map(address);

describe('ordering along edges', () => {
  it('puts everything behind what it comes after, and keeps the given order otherwise', () => {
    const { order, after } = orderAlong(list('a', 'b', 'c', 'd'), [edge('d', 'a'), edge('c', 'b'), edge('c', 'b'), edge('x', 'a')]);
    expect(order).toEqual(list('c', 'd', 'b', 'a'));
    expect(after.get(address('b'))).toEqual(list('c'));
    expect(after.get(address('a'))).toEqual(list('d'));
  });

  it('drops wishes that would close a circle and keeps them otherwise', () => {
    expect(orderAlong(list('a', 'b'), [edge('a', 'b')], [edge('b', 'a')]).order).toEqual(list('a', 'b'));
    expect(orderAlong(list('a', 'b'), [], [edge('b', 'a')]).order).toEqual(list('b', 'a'));
  });

  it('never loses an address, even in a circle, and `after` then still names earlier ones only', () => {
    const numbered = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(fc.array(fc.tuple(numbered, numbered)), fc.array(fc.tuple(numbered, numbered)), (hard, soft) => {
        const all = Array.from({ length: 10 }, (_, index) => address(index));
        const { order, after } = orderAlong(
          all,
          hard.map(([earlier, later]) => edge(earlier, later)),
          soft.map(([earlier, later]) => edge(earlier, later)),
        );
        expect(order.toSorted()).toEqual(all.toSorted());
        const position = new Map(order.map((item, index) => [item, index]));
        for (const [item, earlier] of after) {
          for (const other of earlier) expect(position.get(other)).toBeLessThan(position.get(item) as number);
        }
      }),
    );
  });
});
