import { describe, expect, it } from 'vitest';
import { allows, mayGrant, permissions, roles } from './roles.ts';

describe('roles', () => {
  it('give exactly the permissions they are documented to give', () => {
    const table = Object.fromEntries(roles.map((role) => [role, permissions.filter((permission) => allows(role, permission))]));
    expect(table).toEqual({
      admin: ['evaluate', 'read', 'plan', 'apply', 'operate', 'promote', 'abort', 'rollback', 'administer'],
      operator: ['evaluate', 'read', 'plan', 'apply', 'operate', 'promote', 'abort', 'rollback'],
      viewer: ['evaluate', 'read'],
      evaluator: ['evaluate'],
    });
  });

  it('can be granted only by who holds everything they give', () => {
    const pairs = roles.flatMap((holder) =>
      roles.filter((granted) => mayGrant(holder, granted)).map((granted) => `${holder} -> ${granted}`),
    );
    expect(pairs).toEqual([
      'admin -> admin',
      'admin -> operator',
      'admin -> viewer',
      'admin -> evaluator',
      'operator -> operator',
      'operator -> viewer',
      'operator -> evaluator',
      'viewer -> viewer',
      'viewer -> evaluator',
      'evaluator -> evaluator',
    ]);
  });
});
