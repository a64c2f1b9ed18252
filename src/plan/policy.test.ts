import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyRule } from '../stack/policy/rule.ts';
import { computePlan } from './compute.ts';
import { matchesGlob } from './policy.ts';
import { block, desired, inputs, recorded } from './testdata/resources.ts';

const place = { file: 'policies/plan/network.yaml', line: 2, column: 5 };
const rule = (more: Partial<PolicyRule>): PolicyRule => ({
  name: 'r',
  effect: 'deny',
  message: 'No.',
  match: {},
  when: [],
  position: place,
  ...more,
});

const machine = (publicIp: string) => block('virtual_machine', 'm', { network_interface: { public_ip: publicIp } });
const noPublicIp = rule({
  name: 'no-public-ip',
  message: 'Machines in production have no address on the internet.',
  match: { kind: ['virtual_machine'], environment: ['prod*'] },
  when: [{ field: 'network_interface.public_ip', not: 'none' }],
});
const keepsBackups = rule({ effect: 'warn', match: { kind: ['database'] }, when: [{ field: 'backup_retention_days', below: 7 }] });

describe('a rule', () => {
  it('denies a plan, at the field it is about, and names itself with its place', () => {
    expect(() => computePlan(inputs([desired(machine('static'))], [], { policies: [noPublicIp] }))).toThrow(
      expect.objectContaining({
        code: 'policy_denied',
        problems: [
          expect.objectContaining({
            severity: 'error',
            position: { file: 'stack.yaml', line: 1, column: 1 },
            message: "Machines in production have no address on the internet. (production/virtual_machine/m, rule 'no-public-ip')",
            help: 'The rule stands at policies/plan/network.yaml:2:5.',
          }),
        ],
      }),
    );
    expect(computePlan(inputs([desired(machine('none'))], [], { policies: [noPublicIp] })).problems).toEqual([]);
    const elsewhere = { ...noPublicIp, match: { ...noPublicIp.match, environment: ['staging'] } };
    expect(computePlan(inputs([desired(machine('static'))], [], { policies: [elsewhere] })).problems).toEqual([]);
  });

  it('only warns by its own word, and about what stays as it is', () => {
    const database = block('database', 'db', { backup_retention_days: 3 });
    expect(computePlan(inputs([desired(database)], [], { policies: [keepsBackups] })).problems).toMatchObject([{ severity: 'warning' }]);
    const unchanged = computePlan(inputs([desired(machine('static'))], [recorded(machine('static'))], { policies: [noPublicIp] }));
    expect(unchanged.problems).toMatchObject([{ severity: 'warning', code: 'policy_finding' }]);
  });

  it('speaks of deletions only when it names them, by what is recorded', () => {
    const held = [recorded(block('cache', 'old', { memory: 'x' })), recorded(block('cache', 'kept'))];
    const kept = [desired(block('cache', 'kept'))];
    const when = [{ field: 'memory', equals: 'x' }] as const;
    expect(computePlan(inputs(kept, held, { policies: [rule({ when })] })).changes).toHaveLength(2);
    const never = rule({ match: { action: ['delete'] }, when });
    const denied = expect.objectContaining({ code: 'policy_denied', problems: [expect.objectContaining({ position: place })] });
    expect(() => computePlan(inputs(kept, held, { policies: [never] }))).toThrow(denied);
    expect(() => computePlan(inputs([], held, { mode: 'destroy', policies: [never] }))).toThrow(denied);
  });

  it.each<[PolicyRule['when'][number], boolean]>([
    [{ field: 'a.b', equals: 1 }, true],
    [{ field: 'a.b', not: 1 }, false],
    [{ field: 'absent', not: 1 }, true],
    [{ field: 'absent', equals: 1 }, false],
    [{ field: 'absent', exists: false }, true],
    [{ field: 'a.b', exists: true }, true],
    [{ field: 'a.b', above: 0 }, true],
    [{ field: 'a.b', below: 1 }, false],
    [{ field: 'name', below: 1 }, false],
    [{ field: 'list.*', equals: 'y' }, true],
    [{ field: 'list.0', equals: 'y' }, false],
    [{ field: 'a.*', in: [3, 1] }, true],
    [{ field: 'a.b', not_in: [3, 1] }, false],
    [{ field: 'name', like: 'we*' }, true],
    [{ field: 'name', unlike: '*b' }, false],
    [{ field: 'constructor', exists: true }, false],
  ])('judges %j as %j', (condition, holds) => {
    const service = desired(block('service', 'web', { a: { b: 1 }, list: ['x', 'y'] }));
    expect(computePlan(inputs([service], [], { policies: [rule({ effect: 'warn', when: [condition] })] })).problems).toHaveLength(
      holds ? 1 : 0,
    );
  });

  it('can look at risk, downtime, name and action', () => {
    const newer = desired(block('database', 'db', { version: '16' }), { replaceFields: ['version'] });
    const given = [[newer], [recorded(block('database', 'db', { version: '15' }))]] as const;
    const found = (match: PolicyRule['match']) =>
      computePlan(inputs(...given, { allowDestroy: [newer.block.address], policies: [rule({ effect: 'warn', match })] })).problems.length;
    expect(found({ risk: ['high'], downtime: true, name: ['d*'], action: ['replace'] })).toBe(1);
    expect([found({ risk: ['low'] }), found({ downtime: false }), found({ name: ['x'] }), found({ action: ['create'] })]).toEqual([
      0, 0, 0, 0,
    ]);
  });
});

describe('a glob', () => {
  it('fits as the regular expression it stands for, in linear time', () => {
    const piece = fc.stringMatching(/^[ab*]{0,8}$/);
    fc.assert(
      fc.property(piece, fc.stringMatching(/^[ab]{0,10}$/), (glob, text) => {
        expect(matchesGlob(glob, text)).toBe(new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(text));
      }),
    );
    const hostile = matchesGlob('*a'.repeat(120), `${'a'.repeat(100_000)}b`);
    expect(hostile).toBe(false);
  });
});
