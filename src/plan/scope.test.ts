import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../stack/stack.ts';
import { computePlan } from './compute.ts';
import { renderPlan } from './render.ts';
import { addressOf, block, desired, inputs, recorded, refersTo } from './testdata/resources.ts';

const on = (name: string) => refersTo('on', 'cache', name);
const node = (name: string, needs: readonly string[] = [], fields: object = {}) => block('cache', name, { ...fields }, needs.map(on));
const touched = (plan: ReturnType<typeof computePlan>) =>
  plan.changes.filter(({ action }) => action !== 'none').map(({ action, name }) => `${action} ${name}`);
const addresses = (...names: string[]): Address[] => names.map((name) => addressOf('cache', name));

const chain = [node('base'), node('middle', ['base']), node('top', ['middle']), node('other')];

describe('a limited plan', () => {
  it('takes in what a target needs, and nothing that stands on it', () => {
    const plan = computePlan(
      inputs(
        chain.map((of) => desired(of)),
        [],
        { targets: addresses('middle') },
      ),
    );
    expect(touched(plan)).toEqual(['create base', 'create middle']);
    expect(plan.scope).toEqual({ targets: addresses('middle'), excludes: [], alsoIncluded: addresses('base'), alsoExcluded: [] });
    expect(plan.changes.filter(({ outOfScope }) => outOfScope).map(({ name }) => name)).toEqual(['other', 'top']);
    expect(renderPlan(plan, { color: false })).toContain('Only cache/middle, with cache/base. 2 left as they are.');
  });

  it('leaves out what stands on something excluded', () => {
    const plan = computePlan(
      inputs(
        chain.map((of) => desired(of)),
        [],
        { excludes: addresses('middle') },
      ),
    );
    expect(touched(plan)).toEqual(['create base', 'create other']);
    expect(plan.scope?.alsoExcluded).toEqual(addresses('top'));
  });

  it('removes with a target everything that stands on it, and keeps what something excluded stands on', () => {
    const held = chain.map((of) => recorded(of));
    expect(touched(computePlan(inputs([], held, { targets: addresses('middle') })))).toEqual(['delete top', 'delete middle']);
    const kept = computePlan(inputs([], held, { excludes: addresses('middle') }));
    expect(touched(kept).toSorted()).toEqual(['delete other', 'delete top']);
  });

  it('judges losses within its limits only', () => {
    const held = [recorded(block('database', 'db')), recorded(node('base')), recorded(node('other'))];
    const plan = computePlan(
      inputs([desired(node('base', [], { size: 1 })), desired(node('other'))], held, { targets: addresses('base') }),
    );
    expect(touched(plan)).toEqual(['update base']);
  });

  it('never makes what it stands on absent, nor removes what something kept stands on', () => {
    const size = 8;
    const graph = fc.array(fc.record({ before: fc.boolean(), after: fc.boolean(), needs: fc.array(fc.nat(size - 1), { maxLength: 3 }) }), {
      minLength: size,
      maxLength: size,
    });
    const picks = fc.array(fc.nat(size - 1), { maxLength: 2 });
    fc.assert(
      fc.property(graph, picks, picks, (specs, targets, excludes) => {
        const blocks = specs.map(({ needs }, index) => {
          const lower = [...new Set(needs)].filter((other) => other < index);
          return {
            before: node(
              `n${index}`,
              lower.filter((other) => specs[other]?.before).map((other) => `n${other}`),
            ),
            after: node(
              `n${index}`,
              lower.filter((other) => specs[other]?.after).map((other) => `n${other}`),
            ),
          };
        });
        const wanted = blocks.flatMap(({ after }, index) => (specs[index]?.after ? [desired(after)] : []));
        const held = blocks.flatMap(({ before }, index) => (specs[index]?.before ? [recorded(before)] : []));
        const known = (picked: readonly number[]) =>
          addresses(...picked.filter((at) => specs[at]?.before || specs[at]?.after).map((at) => `n${at}`));
        const limits = { targets: known(targets), excludes: known(excludes), allowMassDestroy: true };
        const plan = computePlan(inputs(wanted, held, limits));
        const action = new Map(plan.changes.map((change) => [change.address, change.action]));
        for (const { block: of } of wanted) {
          const here = action.get(of.address);
          if (here !== 'create' && here !== 'update') continue;
          for (const { address } of of.references) {
            const isThere = held.some(({ state }) => state.address === address) && action.get(address) !== 'delete';
            expect(isThere || action.get(address) === 'create').toBe(true);
          }
        }
        for (const { state } of held) {
          if (action.get(state.address) !== 'none' || plan.changes.find(({ address }) => address === state.address)?.outOfScope !== true)
            continue;
          for (const dependency of state.dependencies) expect(action.get(dependency)).not.toBe('delete');
        }
      }),
    );
  });
});
