import { expect, test } from 'vitest';
import { Bag, type Bagged } from './bag.ts';

const named = (name: string): Bagged & { readonly name: string } => ({ name, slot: -1 });
const [a, b, c, d] = [named('a'), named('b'), named('c'), named('d')] as const;

test('a bag holds what was put in and not taken out, once each, wherever in it that was', () => {
  const bag = new Bag<typeof a>();
  for (const each of [a, b, c, b]) bag.add(each);
  bag.delete(a);
  bag.delete(a);
  bag.delete(d);
  expect([...bag].map(({ name }) => name).sort()).toEqual(['b', 'c']);
  expect(bag.size).toBe(2);
  bag.delete(c);
  bag.add(a);
  bag.delete(b);
  expect([...bag]).toEqual([a]);
  bag.delete(a);
  expect([bag.size, [...bag]]).toEqual([0, []]);
});

test('members may leave and come while a bag is gone through: who has left is not met any more, who comes is met next time', () => {
  const bag = new Bag<typeof a>();
  for (const each of [a, b, c]) bag.add(each);
  const met: string[] = [];
  for (const each of bag) {
    met.push(each.name);
    bag.delete(each);
    bag.delete(c);
    bag.add(d);
  }
  expect(met).toEqual(['a', 'b']);
  expect([...bag]).toEqual([d]);
});
