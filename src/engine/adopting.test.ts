import { describe, expect, it } from 'vitest';
import { blockOf, createControlPlane, stackOf, without } from './testdata/control-plane.ts';

const database = blockOf('database', 'db', { version: '15' });
const group = blockOf('resource_group', 'main');
const stack = stackOf(group, database);
const service = (size: number) => blockOf('service', 'web', { size, env: { URL: '${database.db.url}' } });
const actor = { key: 'key-1', name: 'ada' };

describe('forgetting and adopting', () => {
  it('leaves the resource alone, tells who did it, and takes it back as it was', async () => {
    const plane = createControlPlane();
    await plane.apply(stack);
    const { id } = plane.world.resources.get(database.address) ?? { id: '' };
    plane.world.effects.splice(0);
    await plane.engine.forget(database.address, actor);
    expect(plane.world.effects).toEqual([]);
    expect(await plane.store.get('resources', database.address)).toBeUndefined();
    expect((await plane.events.read(0, 1_000)).at(-1)).toMatchObject({
      type: 'resource.forgotten',
      address: database.address,
      data: { by: 'key-1' },
    });
    expect((await plane.store.read('journal', 0, 1_000)).at(-1)?.value).toMatchObject({ action: 'forget', address: database.address });

    const adopt = [{ address: 'database/db', id }];
    const plan = await plane.planner.plan(stack, { adopt });
    expect(plan.changes).toContainEqual(
      expect.objectContaining({ action: 'adopt', address: database.address, id, reason: `takes over ${id}` }),
    );
    expect((await plane.applyPlan(plan, stack)).status).toBe('succeeded');
    expect(plane.world.resources.get(database.address)?.id).toBe(id);
    expect((await plane.planner.plan(stack)).changes.every(({ action }) => action === 'none')).toBe(true);
  });

  it('adopts what another hand has made under another name; what differs shows in the next plan', async () => {
    const plane = createControlPlane();
    const outside = {
      kind: 'database',
      name: 'x',
      operation: 'other',
      declared: { name: 'db', version: '14' },
      fields: {},
      running: true,
      refersTo: [],
    } as const;
    plane.world.resources.set('elsewhere/database/x', { ...outside, id: 'arn:x' });
    expect((await plane.apply(stack, { adopt: [{ address: 'database/db', id: 'arn:x' }] })).status).toBe('succeeded');
    expect([...plane.world.resources.keys()]).toEqual([database.address]);
    const plan = await plane.planner.plan(stack);
    expect(plan.changes.map(({ action, name }) => `${action} ${name}`)).toEqual(['create main', 'update db']);
  });

  it('refuses what is undeclared, managed already, unknown, or beyond the provider', async () => {
    const plane = createControlPlane();
    const plan = (address: string, id: string) => plane.planner.plan(stack, { adopt: [{ address, id }] });
    await expect(plan('cache/none', 'x')).rejects.toMatchObject({ code: 'import_undeclared' });
    await expect(plan('nonsense', 'x')).rejects.toMatchObject({ code: 'unknown_address' });
    const unknown = await plane.applyPlan(await plan('database/db', 'none'), stack);
    expect(unknown.results).toMatchObject([{ action: 'adopt', status: 'failed', error: { code: 'import_not_found' } }]);
    expect(await plane.store.get('resources', database.address)).toBeUndefined();
    await plane.apply(stack);
    await expect(plan('database/db', 'x')).rejects.toMatchObject({ code: 'import_managed' });
    const other = stackOf(group, database, blockOf('database', 'second'));
    const { id } = plane.world.resources.get(database.address) ?? { id: '' };
    await expect(plane.planner.plan(other, { adopt: [{ address: 'database/second', id }] })).rejects.toMatchObject({
      code: 'import_managed',
    });
    const limited = createControlPlane({ wrap: (provider) => without(provider, 'import') });
    await expect(limited.planner.plan(stack, { adopt: [{ address: 'database/db', id: 'x' }] })).rejects.toMatchObject({
      code: 'import_unsupported',
    });
  });

  it('refuses to forget what is not there', async () => {
    await expect(createControlPlane().engine.forget(database.address, actor)).rejects.toMatchObject({ code: 'unknown_resource' });
  });
});

describe('an apply that only refreshes', () => {
  it('writes down what was found and touches nothing real; the next plan goes from there', async () => {
    const plane = createControlPlane();
    await plane.apply(stack);
    const found = plane.world.resources.get(database.address);
    if (found) plane.world.resources.set(database.address, { ...found, declared: { ...found.declared, version: '16' } });
    plane.world.resources.delete(group.address);
    const real = structuredClone([...plane.world.resources]);
    plane.world.effects.splice(0);
    expect((await plane.apply(stack, { refreshOnly: true })).status).toBe('succeeded');
    expect([plane.world.effects, [...plane.world.resources]]).toEqual([[], real]);
    expect((await plane.planner.plan(stack, { refreshOnly: true })).changes.every(({ action }) => action === 'none')).toBe(true);
    const plan = await plane.planner.plan(stack);
    expect(plan.changes).toMatchObject([
      { action: 'create', reason: 'new', name: 'main' },
      { action: 'update', reason: 'version changed', fields: [{ path: 'version', before: '16', after: '15', origin: 'stack' }] },
    ]);
  });
});

describe('an apply of a part', () => {
  it('leaves the rest alone, also what would follow, until the next whole one', async () => {
    const plane = createControlPlane({ behaviour: { volatileOutputs: true } });
    await plane.apply(stackOf(group, database, service(1)));
    const next = stackOf(group, blockOf('database', 'db', { version: '15', size: 2 }), service(2));
    plane.world.effects.splice(0);
    expect((await plane.apply(next, { targets: ['database/db'] })).status).toBe('succeeded');
    expect(plane.world.effects.map(({ call, address }) => `${call} ${address}`)).toEqual(['update test/database/db']);
    await plane.apply(next);
    expect((await plane.planner.plan(next)).changes.every(({ action }) => action === 'none')).toBe(true);
  });

  it('knows what there is to name, and suggests the nearest', async () => {
    const plane = createControlPlane();
    await expect(plane.planner.plan(stack, { targets: ['database/bd'] })).rejects.toMatchObject({
      code: 'unknown_address',
      help: "Did you mean 'database/db'?",
    });
    await expect(plane.planner.plan(stack, { excludes: ['other/database/db'] })).rejects.toMatchObject({ code: 'unknown_address' });
    expect((await plane.planner.plan(stack, { targets: ['test/database/db'] })).scope?.targets).toEqual([database.address]);
  });
});
