// Random stacks that may turn into each other in any way: resources come, go, change, and change whom they depend on.
import fc from 'fast-check';
import { kindSpecs } from '../../stack/kinds/index.ts';
import type { Kind, ResolvedStack } from '../../stack/stack.ts';
import { blockOf, stackOf } from './control-plane.ts';

const slots = ['resource_group', 'network', 'virtual_machine', 'database', 'cache', 'secret', 'service'] as const satisfies readonly Kind[];

export const replaceFields = Object.fromEntries(slots.map((kind) => [kind, ['version', 'on']]));

const slot = fc.record({
  present: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  rank: fc.nat(slots.length),
  size: fc.nat(1),
  version: fc.nat(1),
  dependsOn: fc.array(fc.nat(slots.length - 1), { maxLength: 2 }),
  reads: fc.array(fc.nat(slots.length - 1), { maxLength: 2 }),
});

type Slot = typeof slot extends fc.Arbitrary<infer Value> ? Value : never;

/**
 * A stack and what becomes of it: most steps change one slot and leave the rest, as people do, and some empty the stack. Each slot
 * depends only on slots of a lower rank, so there are no circles; ranks change with the slots.
 */
export function randomHistory(steps: { readonly minLength: number; readonly maxLength: number }): fc.Arbitrary<readonly ResolvedStack[]> {
  const first = fc.tuple(...slots.map(() => slot));
  const edit = fc.record({ index: fc.nat(slots.length - 1), to: slot, only: fc.constantFrom('size', 'version', 'present', 'all') });
  const step = fc.oneof(
    { weight: 9, arbitrary: fc.array(edit, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant('empty') },
  );
  return fc.tuple(first, fc.array(step, { minLength: steps.minLength - 1, maxLength: steps.maxLength - 1 })).map(([specs, edits]) => {
    let current: readonly Slot[] = specs;
    const stacks = [toStack(current)];
    for (const changes of edits) {
      if (typeof changes !== 'string')
        for (const { index, to, only } of changes) current = current.with(index, edited(current[index] as Slot, to, only));
      stacks.push(typeof changes === 'string' ? stackOf() : toStack(current));
    }
    return stacks;
  });
}

function edited(before: Slot, to: Slot, only: string): Slot {
  if (only === 'size') return { ...before, size: 1 - before.size };
  if (only === 'version') return { ...before, version: 1 - before.version };
  return only === 'present' ? { ...before, present: !before.present } : to;
}

function toStack(specs: readonly Slot[]): ResolvedStack {
  const place = (index: number): number => (specs[index]?.rank ?? 0) * slots.length + index;
  const blocks = specs.flatMap(({ present, size, version, dependsOn, reads }, index) => {
    if (!present) return [];
    const lower = (other: number) => specs[other]?.present === true && place(other) < place(index);
    const on = dependsOn.filter(lower).map((other) => `${slots[other]}.x`);
    const env = reads.filter(lower).flatMap((other) => expressionFor(slots[other] as Kind));
    return [blockOf(slots[index] as Kind, 'x', { size, version, on, env: Object.fromEntries(env.map((text, at) => [`V${at}`, text])) })];
  });
  return stackOf(...blocks);
}

function expressionFor(kind: Kind): readonly string[] {
  if (kind === 'secret') return ['${secret.x}'];
  const [output] = Object.keys(kindSpecs[kind].outputs);
  return output === undefined ? [] : [`before \${${kind}.x.${output}}`];
}
