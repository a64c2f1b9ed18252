import { describe, expect, it } from 'vitest';
import { computePlan } from './compute.ts';
import type { Change, Plan } from './plan.ts';
import { addressOf, block, desired, inputs, recorded, refersTo } from './testdata/resources.ts';

const group = block('resource_group', 'main', { location: 'eastus' });
const database = block('database', 'db', { version: '15', storage_gb: 250 }, [refersTo('resource_group_name', 'resource_group', 'main')]);
const service = block('service', 'web', { env: { URL: '${database.db.url}' } }, [refersTo('env.URL', 'database', 'db', 'url')]);
const stack = [desired(service), desired(database), desired(group)];
const state = [recorded(service), recorded(database), recorded(group)];

const mayGo = { allowDestroy: [database.address], allowMassDestroy: true };
const changeOf = (plan: Plan, name: string): Change => plan.changes.find((change) => change.name === name) as Change;
const actions = (plan: Plan) => plan.changes.map(({ action, name }) => `${action} ${name}`);
const changed = (fields: object) => block('database', 'db', { ...database.fields, ...fields }, database.references);

const z = (fields: object) => block('virtual_machine', 'z', { ...fields });
const y = (on: ReturnType<typeof refersTo>) => block('service', 'y', { on: on.name }, [on]);
const secret = (value: string) => block('secret', 'key', { value: { encrypted: value, env: 'NAME' } });
const machine = (index: number) =>
  block('virtual_machine', `m-${index}`, {}, index === 0 ? [] : [refersTo('on', 'virtual_machine', `m-${index - 1}`)]);
const leaf = (index: number) =>
  block('service', `s-${index}`, {}, [refersTo('group', 'resource_group', 'main'), refersTo('on', 'virtual_machine', `m-${index}`)]);

describe('a plan', () => {
  it('creates a new stack in the order of its dependencies', () => {
    const plan = computePlan(inputs(stack));
    expect(actions(plan)).toEqual(['create main', 'create db', 'create web']);
    expect(changeOf(plan, 'db')).toMatchObject({ reason: 'new', risk: 'low', downtime: false, after: [group.address] });
    expect(changeOf(plan, 'main').fields).toContainEqual({ path: 'location', after: 'eastus', forcesReplacement: false, origin: 'stack' });
  });

  it('changes nothing when everything is as declared', () => {
    expect(actions(computePlan(inputs(stack, state)))).toEqual(['none main', 'none db', 'none web']);
  });

  it('updates a changed field and notes what follows if outputs change', () => {
    const plan = computePlan(inputs([desired(service), desired(changed({ storage_gb: 256 })), desired(group)], state));
    expect(actions(plan)).toEqual(['none main', 'update db', 'none web']);
    expect(changeOf(plan, 'db')).toMatchObject({
      reason: 'storage_gb changed',
      risk: 'medium',
      fields: [{ path: 'storage_gb', before: 250, after: 256, forcesReplacement: false, origin: 'stack' }],
    });
    expect(plan.problems).toMatchObject([{ severity: 'note', code: 'follows_dependency', address: service.address }]);
  });

  it('replaces for a field that cannot change in place, and updates those who read its outputs', () => {
    const newer = desired(changed({ version: '16' }), { replaceFields: ['version'] });
    const plan = computePlan(inputs([desired(service), newer, desired(group)], state, mayGo));
    expect(actions(plan)).toEqual(['none main', 'replace db', 'update web']);
    expect(changeOf(plan, 'db')).toMatchObject({ reason: 'version cannot change in place', risk: 'high', downtime: true });
    expect(changeOf(plan, 'web').fields).toEqual([
      { path: 'env.URL', after: '${database.db.url}', forcesReplacement: false, origin: 'dependency' },
    ]);
  });

  it('replaces what cannot live without a replaced dependency, but only updates it when that merely came back', () => {
    const inGroup = desired(database, { replaceFields: ['resource_group_name'] });
    const moved = desired(block('resource_group', 'main', { location: 'westus' }), { replaceFields: ['location'] });
    expect(actions(computePlan(inputs([desired(service), inGroup, moved], state, mayGo)))).toEqual([
      'replace main',
      'replace db',
      'update web',
    ]);
    const gone = [recorded(service), recorded(database), recorded(group, {}, { status: 'absent' })];
    expect(actions(computePlan(inputs([desired(service), inGroup, desired(group)], gone)))).toEqual([
      'create main',
      'update db',
      'none web',
    ]);
  });

  it('updates those who took the value a dependency had before', () => {
    const outdated = recorded(service, { resolved: { '${database.db.url}': 'sha256:other' } });
    const plan = computePlan(inputs(stack, [outdated, recorded(database), recorded(group)]));
    expect(changeOf(plan, 'web')).toMatchObject({ action: 'update', reason: 'env.URL follows a dependency' });
  });

  it('repairs drift and makes anew what is gone', () => {
    const drift = [{ field: 'state', applied: 'running', observed: 'stopped' }];
    const found = [recorded(service, {}, { status: 'absent' }), recorded(database, {}, { status: 'present', drift }), recorded(group)];
    const plan = computePlan(inputs(stack, found));
    expect(changeOf(plan, 'db')).toMatchObject({
      action: 'update',
      reason: 'stopped',
      fields: [{ path: 'state', before: 'stopped', after: 'running', origin: 'drift' }],
    });
    expect(changeOf(plan, 'web')).toMatchObject({ action: 'create', reason: 'no longer there' });
  });

  it('sees that content changed though the field that names it did not', () => {
    const plan = computePlan(inputs([desired(service, { fingerprint: { source: 'sha256:new' } })], [recorded(service)]));
    expect(changeOf(plan, 'web')).toMatchObject({ action: 'update', reason: 'content of source changed' });
  });

  it('names a changed field by itself, whatever of its content is no longer named', () => {
    const before = recorded({ ...service, fields: { ...service.fields, level: 'info' } });
    const held = { ...before, state: { ...before.state, fingerprint: { source: 'sha256:1', release: 'sha256:2' } } };
    const plan = computePlan(inputs([desired(service, { fingerprint: { source: 'sha256:1' } })], [held]));
    expect(changeOf(plan, 'web')).toMatchObject({ action: 'update', reason: 'level changed', fields: [{ path: 'level' }] });
  });

  it.each([
    ['creating', '', 'create', 'its creation did not finish'],
    ['failed', '', 'create', 'its creation failed'],
    ['updating', 'id', 'update', 'its last update did not finish'],
    ['failed', 'id', 'update', 'its last change failed'],
    ['deleting', 'id', 'update', 'its deletion did not finish'],
  ] as const)('continues what was left as %s with the id "%s" by an %s', (status, id, action, reason) => {
    const plan = computePlan(inputs([desired(group)], [recorded(group, { status, id })]));
    expect(changeOf(plan, 'main')).toMatchObject({ action, reason });
  });

  it('replaces what moves to another provider', () => {
    const plan = computePlan(inputs([desired(group, { provider: 'azure' })], [recorded(group)]));
    expect(changeOf(plan, 'main')).toMatchObject({ action: 'replace', reason: 'moves from the provider simulated to azure' });
  });

  it('deletes in reverse order, after dependents have gone or turned away', () => {
    expect(actions(computePlan(inputs([], state, { mode: 'destroy' })))).toEqual(['delete web', 'delete db', 'delete main']);
    const alone = block('service', 'web', { env: {} });
    const plan = computePlan(inputs([desired(alone)], state, mayGo));
    expect(actions(plan)).toEqual(['update web', 'delete db', 'delete main']);
    expect(changeOf(plan, 'db')).toMatchObject({ after: [alone.address], reason: 'no longer in the stack', risk: 'high' });
  });

  it('removes dependents before it replaces what they stood on', () => {
    const newer = desired(changed({ version: '16' }), { replaceFields: ['version'] });
    expect(actions(computePlan(inputs([newer, desired(group)], state, mayGo)))).toEqual(['none main', 'delete web', 'replace db']);
  });

  it('finds an order even when a reshaped stack would rather have two', () => {
    const x = block('cache', 'x', {}, [refersTo('runs_on', 'virtual_machine', 'z')]);
    const before = [recorded(z({ size: 'S' })), recorded(x), recorded(y(refersTo('on', 'cache', 'x')))];
    const after = [desired(z({ size: 'L' }), { replaceFields: ['size'] }), desired(y(refersTo('on', 'virtual_machine', 'z')))];
    expect(actions(computePlan(inputs(after, before)))).toEqual(['replace z', 'update y', 'delete x']);
  });
});

describe('a protected resource', () => {
  const protectedDatabase = block('database', 'db', { version: '15', protect: true });
  const refused = expect.objectContaining({ code: 'protected_resource' });

  it('is neither deleted nor replaced, whether the stack or the state protects it', () => {
    const held = [recorded(protectedDatabase)];
    expect(() => computePlan(inputs([], held))).toThrow(refused);
    const unprotectedNewer = desired(block('database', 'db', { version: '16' }), { replaceFields: ['version'] });
    expect(() => computePlan(inputs([unprotectedNewer], held))).toThrow(refused);
    const protectedNewer = desired(block('database', 'db', { version: '16', protect: true }), { replaceFields: ['version'] });
    expect(() => computePlan(inputs([protectedNewer], [recorded(block('database', 'db', { version: '15' }))]))).toThrow(refused);
  });

  it('may go when it is named, or when it was never made', () => {
    const allowDestroy = [addressOf('database', 'db')];
    expect(actions(computePlan(inputs([], [recorded(protectedDatabase)], { allowDestroy, allowMassDestroy: true })))).toEqual([
      'delete db',
    ]);
    expect(actions(computePlan(inputs([], [recorded(protectedDatabase, { id: '', status: 'creating' })])))).toEqual(['delete db']);
  });
});

describe('secrets', () => {
  it('never enter a plan', () => {
    const drift = [{ field: 'value.encrypted', applied: 'canary-three', observed: 'canary-four' }];
    const plan = computePlan(inputs([desired(secret('canary-one'))], [recorded(secret('canary-two'), {}, { status: 'present', drift })]));
    const fresh = computePlan(inputs([desired(secret('canary-one'))]));
    expect(JSON.stringify([plan, fresh])).not.toContain('canary');
    expect(changeOf(plan, 'key').fields).toMatchObject([{ path: 'value.encrypted', before: '(secret)', after: '(secret)' }]);
    expect(changeOf(fresh, 'key').fields).toContainEqual(expect.objectContaining({ path: 'value.env', after: 'NAME' }));
  });
});

describe('the size of a plan', () => {
  const size = 5_000;

  it.each(['apply', 'destroy'] as const)('grows with resources plus references for a stack that is both deep and wide (%s)', (mode) => {
    const blocks = [
      group,
      ...Array.from({ length: size }, (_, index) => machine(index)),
      ...Array.from({ length: size }, (_, index) => leaf(index)),
    ];
    const references = blocks.reduce((sum, { references }) => sum + references.length, 0);
    let lookups = 0;
    const counting = desired(group);
    const all = blocks.map((of) =>
      Object.defineProperty({ ...desired(of) }, 'replaceFields', { get: () => ((lookups += 1), counting.replaceFields) }),
    );
    const states = blocks.map((of) => recorded(of));
    const plan = computePlan(mode === 'apply' ? inputs(all, states) : inputs([], states, { mode }));
    expect(plan.changes).toHaveLength(2 * size + 1);
    expect(plan.changes.reduce((sum, { after }) => sum + after.length, 0)).toBe(references);
    expect(lookups).toBeLessThanOrEqual(blocks.length);
  });
});
