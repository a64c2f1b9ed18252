import { describe, expect, it } from 'vitest';
import type { Moved } from '../stack/stack.ts';
import { computePlan } from './compute.ts';
import { renamesOf, renameState } from './moves.ts';
import { renderPlan } from './render.ts';
import { movedOn } from './stale.ts';
import { addressOf, block, desired, inputs, recorded, refersTo } from './testdata/resources.ts';

const position = { file: 'stack.yaml', line: 1, column: 1 };
const moved = (from: string, to: string): Moved => ({ kind: 'database', from, to, position });
const [old, fresh] = [addressOf('database', 'old'), addressOf('database', 'fresh')];

describe('the moves of a stack', () => {
  it('are those whose source is recorded and whose end is free', () => {
    const entries = [moved('old', 'fresh'), moved('gone', 'other')];
    expect([...renamesOf('production', entries, (address) => address === old)]).toEqual([[old, fresh]]);
    expect(renamesOf('production', entries, (address) => address === old || address === fresh).size).toBe(0);
  });

  it('take one of several that lead to one end', () => {
    expect([...renamesOf('production', [moved('oldest', 'fresh'), moved('old', 'fresh')], (address) => address !== fresh)]).toEqual([
      [old, fresh],
    ]);
  });
});

describe('a record after a move', () => {
  const renames = new Map([[old, fresh]]);

  it('has its new address and name, and what it was declared with', () => {
    const { state } = recorded(block('database', 'old', { version: '15' }));
    expect(renameState(state, renames)).toMatchObject({
      address: fresh,
      name: 'fresh',
      declared: { name: 'fresh', version: '15' },
      id: 'id-old',
    });
  });

  it('is followed by every mention in others: dependencies, values, texts and names', () => {
    const fields = { env: { URL: 'x ${database.old.url}', RAW: '$${database.old.url}', OTHER: '${database.older.url}' } };
    const service = recorded(block('service', 'web', fields, [refersTo('env.URL', 'database', 'old', 'url')]), {
      resolved: { '${database.old.url}': 'sha256:a', [old]: 'sha256:b' },
    });
    expect(renameState(service.state, renames)).toMatchObject({
      dependencies: [fresh],
      resolved: { '${database.fresh.url}': 'sha256:a', [fresh]: 'sha256:b' },
      declared: { env: { URL: 'x ${database.fresh.url}', RAW: '$${database.old.url}', OTHER: '${database.older.url}' } },
    });
    const machine = recorded(block('virtual_machine', 'm', { resource_group_name: 'before' })).state;
    const groups = new Map([[addressOf('resource_group', 'before'), addressOf('resource_group', 'after')]]);
    expect(renameState(machine, groups).declared).toMatchObject({ resource_group_name: 'after' });
  });

  it('is the same object when nothing of it is touched', () => {
    const { state } = recorded(block('cache', 'c', { env: { A: '${database.other.url}' } }));
    expect(renameState(state, renames)).toBe(state);
  });
});

const record = (fields: object = {}) => {
  const before = recorded(block('database', 'old', { version: '15', ...fields }), {}, { status: 'present', drift: [] });
  return { ...before, state: renameState(before.state, new Map([[old, fresh]])), from: old, version: 3 };
};

describe('a plan with a move', () => {
  const after = block('database', 'fresh', { version: '15' });

  it('shows it, deletes nothing and needs no leave', () => {
    const plan = computePlan(inputs([desired(after)], [record()]));
    expect(plan.changes).toMatchObject([{ action: 'move', address: fresh, from: old, risk: 'low', downtime: false, version: 3 }]);
    expect(renderPlan(plan, { color: false })).toContain('  > database/fresh  move (was database/old)');
    expect(renderPlan(plan, { color: false })).toContain('0 to delete, 1 to move, 0 unchanged.');
  });

  it('shows what changes besides', () => {
    const plan = computePlan(inputs([desired(after)], [record({ storage_gb: 1 })]));
    expect(plan.changes).toMatchObject([{ action: 'update', from: old, fields: [{ path: 'storage_gb' }] }]);
    expect(renderPlan(plan, { color: false })).toContain('update in place (was database/old; storage_gb changed)');
  });

  it('is stale by its old address, and says what has moved on', () => {
    const plan = computePlan(inputs([desired(after)], [record()]));
    expect(movedOn(plan, [{ address: old, version: 3 }])).toBe('the environment has changed since');
    const versions = [
      { address: old, version: 4 },
      { address: addressOf('cache', 'c'), version: 1 },
    ];
    expect(movedOn(plan, versions)).toBe('the environment has changed since (changed: database/old; new: cache/c)');
    expect(movedOn(plan, [])).toBe('the environment has changed since (gone: database/old)');
  });
});
