import { describe, expect, it } from 'vitest';
import { loadStackText } from './load.ts';

const group = (name: string) => `  - { name: ${name} }`;
const stack = (moved: string, ...names: string[]) => `resource_group:\n${names.map(group).join('\n')}\nmoved: ${moved}\n`;

function moves(text: string) {
  const loaded = loadStackText(text);
  expect(loaded.problems).toEqual([]);
  return loaded.ok ? loaded.value.moved?.map(({ kind, from, to }) => `${kind}/${from} -> ${to}`) : undefined;
}

const problems = (text: string) =>
  loadStackText(text).problems.map(({ code, position }) => `${position?.line}:${position?.column} ${code}`);

describe('moved', () => {
  it('is one move or a list of them, and declares nothing', () => {
    expect(moves(stack('{ from: resource_group/a, to: resource_group/b }', 'b'))).toEqual(['resource_group/a -> b']);
    const list = '[{ from: resource_group/a, to: resource_group/b }, { from: resource_group/c, to: resource_group/d }]';
    expect(moves(stack(list, 'b', 'd'))).toEqual(['resource_group/a -> b', 'resource_group/c -> d']);
    expect(moves('resource_group: { name: a }')).toBeUndefined();
  });

  it('is followed along a chain to its end, whatever the order', () => {
    const links = ['{ from: resource_group/b, to: resource_group/c }', '{ from: resource_group/a, to: resource_group/b }'];
    for (const order of [links, links.toReversed()]) {
      expect(moves(stack(`[${order.join(', ')}]`, 'c'))?.toSorted()).toEqual(['resource_group/a -> c', 'resource_group/b -> c']);
    }
    const long = Array.from({ length: 2_000 }, (_, index) => `{ from: resource_group/g${index}, to: resource_group/g${index + 1} }`);
    expect(moves(stack(`[${long.join(', ')}]`, 'g2000'))).toHaveLength(2_000);
  });

  it.each([
    ['still declared', '{ from: resource_group/a, to: resource_group/b }', ['3:16 moved_still_declared']],
    [
      'moved twice',
      '[{ from: resource_group/x, to: resource_group/a }, { from: resource_group/x, to: resource_group/b }]',
      ['3:67 moved_twice'],
    ],
    ['of another kind', '{ from: cache/x, to: resource_group/a }', ['3:29 moved_kinds_differ']],
    ['to nothing', '{ from: resource_group/x, to: resource_group/aa }', ['3:16 moved_to_nothing']],
    [
      'in a circle',
      '[{ from: resource_group/x, to: resource_group/y }, { from: resource_group/y, to: resource_group/x }]',
      ['3:67 moved_in_a_circle'],
    ],
    ['onto itself', '{ from: resource_group/x, to: resource_group/x }', ['3:16 moved_in_a_circle']],
    ['without an end', '{ from: resource_group/x }', ['3:8 missing_field']],
    ['that is no address', '{ from: x, to: "resource_group/a/b" }', ['3:16 invalid_value', '3:23 invalid_value']],
    ['of an environment', '{ from: environment/x, to: environment/y }', ['3:16 invalid_value', '3:35 invalid_value']],
    ['with a field too many', '{ from: resource_group/x, to: resource_group/a, why: y }', ['3:56 unknown_field']],
    ['that is no map', '[7]', ['3:9 wrong_type']],
  ])('is refused for what is %s', (_, moved, expected) => {
    expect(problems(`resource_group:\n  [{ name: a }, { name: b }]\nmoved: ${moved}\n`)).toEqual(expected);
  });
});
