import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadStack } from '../load.ts';
import { createProblemList } from '../problems.ts';
import { createSourceText } from '../source/node.ts';
import { validateStack } from '../validate.ts';
import { loadPolicyRules, rulesOf } from './read-rules.ts';

const good = `rule:
  - name: no-public-ip
    message: Machines in production have no address on the internet.
    match: { kind: virtual_machine, environment: production }
    when: [{ field: network_interface.public_ip, not: none }]
  - name: backups
    effect: warn
    message: Databases keep a week of backups.
    match: { kind: [database] }
    when: [{ field: backup_retention_days, below: 7 }]
`;

function read(text: string) {
  const problems = createProblemList();
  return { rules: rulesOf(createSourceText('rules.yaml', text), problems), problems: problems.sorted() };
}

describe('rules on plans', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-rules-'));
    await mkdir(join(folder, 'policies', 'plan'), { recursive: true });
    await writeFile(join(folder, 'stack.yaml'), 'resource_group: { name: a }\n');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are read with their places, one as well as several', () => {
    expect(read(good)).toMatchObject({
      problems: [],
      rules: [
        {
          name: 'no-public-ip',
          effect: 'deny',
          match: { kind: ['virtual_machine'] },
          position: { file: 'rules.yaml', line: 2, column: 5 },
        },
        { name: 'backups', effect: 'warn', when: [{ field: 'backup_retention_days', below: 7 }] },
      ],
    });
    expect(read('rule: { name: a, message: b }').rules).toHaveLength(1);
  });

  it.each([
    ['rules: []', '1:1 policy_invalid'],
    ['rule: [7]', '1:8 policy_invalid'],
    ['rule: { name: a }', '1:7 policy_invalid'],
    ['rule: { name: a, message: b, efect: deny }', '1:7 policy_invalid'],
    ['rule: { name: a, message: b, when: [{ field: x }] }', '1:37 policy_invalid'],
    ['rule: { name: a, message: b, when: [{ field: x, equals: 1, not: 2 }] }', '1:37 policy_invalid'],
    ['rule: { name: a, message: "\\e[2J" }', '1:27 policy_invalid'],
    ['rule: { name: a, message: b, match: { kind: databse } }', '1:45 policy_invalid'],
    ['rule: { name: a, message: b, match: { kind: database }, when: [{ field: storage, below: 1 }] }', '1:73 policy_unknown_field'],
    ['rule: { name: a', '1:16 yaml_invalid'],
  ])('that are wrong are refused at their place: %s', (text, expected) => {
    const { problems, rules } = read(text);
    expect(rules).toEqual([]);
    expect(problems.map(({ code, position }) => `${position?.line}:${position?.column} ${code}`)).toContain(expected);
  });

  it('look at fields inside lists and maps', () => {
    const fields = ['subnets.*.address_prefix', 'subnets.0.name'];
    for (const field of fields)
      expect(read(`rule: { name: a, message: b, match: { kind: network }, when: [{ field: ${field}, like: "10.*" }] }`).problems).toEqual(
        [],
      );
    expect(read('rule: { name: a, message: b, match: { kind: service }, when: [{ field: env.*, like: "x*" }] }').problems).toEqual([]);
  });

  it('belong to the stack they lie beside, and stop it when they are wrong', async () => {
    await writeFile(join(folder, 'policies', 'plan', 'all.yaml'), good);
    const loaded = await loadStack(folder);
    expect(loaded.ok && loaded.value.policies?.map(({ name }) => name)).toEqual(['no-public-ip', 'backups']);
    const alone = await loadPolicyRules(join(folder, 'stack.yaml'));
    expect(alone.ok && alone.value).toHaveLength(2);
    await writeFile(join(folder, 'policies', 'plan', 'wrong.yaml'), 'rule: 7\n');
    expect((await loadStack(folder)).ok).toBe(false);
    expect(await validateStack(folder)).toMatchObject({ ok: false, problems: [{ code: 'policy_invalid' }] });
    expect((await loadPolicyRules(folder)).ok).toBe(false);
  });

  it('are none where there are none, and are never read through a link that leads out', async () => {
    const loaded = await loadStack(folder);
    expect(loaded.ok && loaded.value.policies).toBeUndefined();
    const outside = await mkdtemp(join(tmpdir(), 'sluice-outside-'));
    await writeFile(join(outside, 'x.yaml'), good);
    await rm(join(folder, 'policies'), { recursive: true });
    await mkdir(join(folder, 'policies'));
    await symlink(outside, join(folder, 'policies', 'plan'));
    expect(await loadStack(folder)).toMatchObject({ ok: false, problems: [{ code: 'path_outside_stack' }] });
    await rm(outside, { recursive: true });
  });
});
