import { describe, expect, it } from 'vitest';
import { SluiceError } from '../errors/sluice-error.ts';
import { computePlan } from './compute.ts';
import type { PlanInputs } from './inputs.ts';
import { addressOf, block, desired, inputs, recorded } from './testdata/resources.ts';

const database = (name: string, fields: object = {}) => block('database', name, { version: '15', ...fields });
const secret = (value: object) => recorded(block('secret', 'key', { value: { ...value } }));
const cache = (name: string, fields: object) => block('cache', name, { type: 'Redis', memory: '64Mi', ...fields });
const groups = Array.from({ length: 6 }, (_, index) => block('resource_group', `g-${index}`));

function refusal(...given: Parameters<typeof inputs>): SluiceError {
  try {
    computePlan(inputs(...given));
  } catch (error) {
    if (error instanceof SluiceError) return error;
  }
  throw new Error('the plan was not refused');
}

const withGroups = (more: Partial<PlanInputs> = {}) =>
  [groups.map((group) => desired(group)), [...groups, database('a'), database('b')].map((of) => recorded(of)), more] as const;

describe('what holds data', () => {
  it('is not deleted by an apply unless it is named, and the refusal lists exactly what to pass', () => {
    const error = refusal(...withGroups());
    expect(error).toMatchObject({
      code: 'protected_resource',
      message: 'The plan would delete production/database/a, which holds data (no longer in the stack), and 1 more like it.',
    });
    expect(error.help).toContain('--allow-destroy database/a --allow-destroy database/b');
    expect(error.problems.map(({ address }) => address)).toEqual([addressOf('database', 'a'), addressOf('database', 'b')]);
    expect(refusal(...withGroups({ allowDestroy: [addressOf('database', 'a')] })).help).not.toContain('database/a');
    const both = [addressOf('database', 'a'), addressOf('database', 'b')];
    expect(computePlan(inputs(...withGroups({ allowDestroy: both }))).changes.filter(({ action }) => action === 'delete')).toHaveLength(2);
  });

  it('is not replaced either', () => {
    const newer = desired(database('a', { version: '16' }), { replaceFields: ['version'] });
    expect(refusal([newer], [recorded(database('a'))]).message).toContain('replace production/database/a, which holds data');
  });

  it('goes with its environment when that is destroyed, unless it is protected', () => {
    const held = [recorded(database('a')), recorded(database('b', { protect: true }))];
    expect(refusal([], held, { mode: 'destroy' })).toMatchObject({ problems: [{ address: addressOf('database', 'b') }] });
    const plan = computePlan(inputs([], held, { mode: 'destroy', allowDestroy: [addressOf('database', 'b')] }));
    expect(plan.changes.map(({ action }) => action)).toEqual(['delete', 'delete']);
  });

  it('is a generated secret, which nothing brings back, and not one that is read from outside', () => {
    const rest = groups.map((group) => recorded(group));
    const kept = groups.map((group) => desired(group));
    expect(refusal(kept, [...rest, secret({ generated: { length: 32 } })]).code).toBe('protected_resource');
    expect(computePlan(inputs(kept, [...rest, secret({ env: 'KEY' })])).changes.at(-1)?.action).toBe('delete');
  });
});

describe('a plan that deletes much', () => {
  it.each([
    [0, 'everything there is: 6 resources'],
    [2, '4 of 6 resources, more than half'],
  ])('is refused when %i of six stay', (stay, words) => {
    const error = refusal(
      groups.slice(0, stay).map((group) => desired(group)),
      groups.map((group) => recorded(group)),
    );
    expect(error).toMatchObject({ code: 'mass_destroy', message: expect.stringContaining(words) });
    expect(error.help).toContain('--allow-mass-destroy');
  });

  it('is made when it is allowed, when half stays, and when nothing of it was ever made', () => {
    const held = groups.map((group) => recorded(group));
    const half = groups.slice(0, 3).map((group) => desired(group));
    expect(computePlan(inputs(half, held)).changes).toHaveLength(6);
    expect(computePlan(inputs([], held, { allowMassDestroy: true })).changes).toHaveLength(6);
    expect(computePlan(inputs([], [recorded(groups[0] as (typeof groups)[0], { id: '', status: 'failed' })])).changes).toHaveLength(1);
  });

  it('names both flags when it also loses data', () => {
    expect(refusal([], [recorded(database('a'))]).help).toContain('--allow-destroy database/a --allow-mass-destroy');
  });
});

describe('a rename without a move', () => {
  const renamed = block('database', 'orders', { version: '15', storage_gb: 64 });
  const before = block('database', 'order-db', { version: '15', storage_gb: 64 });
  const entry = 'moved: [{ from: database/order-db, to: database/orders }]';

  it('is refused with the move to write', () => {
    expect(refusal([desired(renamed)], [recorded(before)]).help).toContain(`It looks like a rename: add \`${entry}\` to the stack`);
  });

  it('is warned about where it loses nothing, also when some fields differ', () => {
    const given = [desired(cache('sessions', { memory: '128Mi', a: 1, b: 2 }))];
    const plan = computePlan(inputs(given, [recorded(cache('session', { a: 1, b: 2 }))], { allowMassDestroy: true }));
    expect(plan.problems).toMatchObject([{ severity: 'warning', code: 'looks_like_rename', address: addressOf('cache', 'sessions') }]);
    expect(plan.problems[0]?.help).toContain('moved: [{ from: cache/session, to: cache/sessions }]');
  });

  it('is not seen in things that have little in common, and pairs each only once', () => {
    const allowed = { allowDestroy: [before.address], allowMassDestroy: true };
    const other = block('database', 'orders', { version: '17', storage_gb: 1, sku: 'x' });
    expect(computePlan(inputs([desired(other)], [recorded(before)], allowed)).problems).toEqual([]);
    const twins = ['one', 'two', 'three'].map((name) => desired(block('database', name, { version: '15', storage_gb: 64 })));
    expect(computePlan(inputs(twins, [recorded(before)], allowed)).problems).toHaveLength(1);
  });
});
