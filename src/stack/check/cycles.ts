import { problem } from '../../errors/sluice-error.ts';
import type { ProblemList } from '../problems.ts';
import type { Reference } from '../stack.ts';

export interface OrderedNode {
  /** `kind/name`. */
  readonly key: string;
  readonly needs: readonly { readonly key: string; readonly position: Reference['position'] }[];
}

/**
 * Reports the circles among what needs what: depth-first search with colours, without recursion, in time linear in nodes and references.
 * Each reference that closes a circle is reported once, where it stands.
 */
export function reportCycles(nodes: readonly OrderedNode[], problems: ProblemList): void {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const state = new Map<string, 'open' | 'done'>();
  for (const root of nodes) {
    if (state.has(root.key)) continue;
    const way: { node: OrderedNode; next: number }[] = [{ node: root, next: 0 }];
    state.set(root.key, 'open');
    for (let step = way.at(-1); step; step = way.at(-1)) {
      const need = step.node.needs[step.next];
      step.next += 1;
      if (!need) {
        state.set(step.node.key, 'done');
        way.pop();
        continue;
      }
      const target = byKey.get(need.key);
      if (!target || state.get(need.key) === 'done') continue;
      if (state.get(need.key) === 'open') {
        problems.add(() => {
          const keys = way.map(({ node }) => node.key);
          return problem(
            'reference_cycle',
            { cycle: shortCycle([...keys.slice(keys.indexOf(need.key)), need.key]) },
            { position: need.position },
          );
        });
        continue;
      }
      state.set(need.key, 'open');
      way.push({ node: target, next: 0 });
    }
  }
}

function shortCycle(cycle: readonly string[]): readonly string[] {
  return cycle.length <= 20 ? cycle : [...cycle.slice(0, 10), `(${cycle.length - 20} more)`, ...cycle.slice(-10)];
}
