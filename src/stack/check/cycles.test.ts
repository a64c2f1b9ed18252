import { describe, expect, it } from 'vitest';
import { createProblemList } from '../problems.ts';
import { reportCycles } from './cycles.ts';

const position = { file: 'a', line: 1, column: 1 };

function cycles(graph: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const problems = createProblemList();
  const nodes = Object.entries(graph).map(([key, needs]) => ({ key, needs: needs.map((need) => ({ key: need, position })) }));
  reportCycles(nodes, problems);
  return problems.sorted().map(({ message }) => message.replace(/^.*: |\.$/g, ''));
}

describe('reportCycles', () => {
  it('finds none where there is an order, shared needs included', () => {
    expect(cycles({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [], e: ['nothing'] })).toEqual([]);
  });

  it('prints each circle from where it starts to where it closes', () => {
    expect(cycles({ x: ['a'], a: ['b'], b: ['c'], c: ['a'], y: ['z'], z: ['y'] })).toEqual(['a -> b -> c -> a', 'y -> z -> y']);
  });

  it('follows a chain of 100,000 without running out of stack', () => {
    const chain = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`n${index}`, [`n${index + 1}`]]));
    expect(cycles(chain)).toEqual([]);
  });
});
