import { describe, expect, it } from 'vitest';
import { computePlan } from './compute.ts';
import { decideRefresh, withObserved } from './refresh.ts';
import { block, desired, inputs, recorded } from './testdata/resources.ts';

const database = block('database', 'db', { version: '15', storage_gb: 32, nested: { a: 1 } });
const drift = [
  { field: 'storage_gb', applied: 32, observed: 64 },
  { field: 'state', applied: 'running', observed: 'stopped' },
];

describe('a plan that only refreshes', () => {
  it('records what was found, warns of what a record has no place for, and plans nothing real', () => {
    const given = [recorded(database, {}, { status: 'present', drift }), recorded(block('cache', 'gone'), {}, { status: 'absent' })];
    const plan = computePlan(inputs([desired(database), desired(block('cache', 'new'))], given, { refreshOnly: true }));
    expect(plan.changes.map(({ action, name }) => `${action} ${name}`).toSorted()).toEqual(['refresh db', 'refresh gone']);
    expect(plan.changes.find(({ name }) => name === 'db')).toMatchObject({
      risk: 'none',
      fields: [{ path: 'storage_gb', before: 32, after: 64, origin: 'drift' }],
    });
    expect(plan.problems).toMatchObject([{ severity: 'warning', code: 'drift_not_recorded' }]);
  });

  it('hides what may be secret', () => {
    const secret = recorded(
      block('secret', 'key', { value: { encrypted: 'x' } }),
      {},
      {
        status: 'present',
        drift: [{ field: 'value.encrypted', applied: 'canary-a', observed: 'canary-b' }],
      },
    );
    expect(JSON.stringify(decideRefresh(secret))).not.toContain('canary');
  });

  it('puts an observed value where the field was, and nowhere else', () => {
    const nested = { field: 'nested.a', applied: 1, observed: 2 };
    const outputs = { field: 'outputs.port', applied: 1, observed: 2 };
    expect(withObserved(database.fields, [...drift, nested, outputs])).toEqual({ ...database.fields, storage_gb: 64, nested: { a: 2 } });
  });
});
