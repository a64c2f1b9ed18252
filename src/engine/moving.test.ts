import { describe, expect, it } from 'vitest';
import { createSimulatedWorld } from '../providers/simulated/simulated-world.ts';
import type { Kind, ResolvedStack } from '../stack/stack.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { blockOf, createControlPlane, stackOf, without } from './testdata/control-plane.ts';
import { crashAt } from './testdata/crash.ts';

const position = { file: 'stack.yaml', line: 1, column: 1 };

function renaming(stack: ResolvedStack, kind: Kind, from: string, to: string): ResolvedStack {
  return { ...stack, moved: [{ kind, from, to, position }] };
}

const reader = (database: string) => blockOf('service', 'web', { env: { URL: `\${database.${database}.url}` } });
const before = stackOf(blockOf('database', 'old', { version: '15' }), reader('old'));
const plain = stackOf(blockOf('database', 'fresh', { version: '15' }), reader('fresh'));
const after = renaming(plain, 'database', 'old', 'fresh');

const service = (name: string, size: number) =>
  stackOf(blockOf('database', 'db', { size }), blockOf('cache', name, { env: { URL: '${database.db.url}' } }));

describe('a move', () => {
  it('keeps the resource, touches nothing else, and is over after one apply', async () => {
    const plane = createControlPlane();
    await plane.apply(before);
    const { id } = plane.world.resources.get('test/database/old') ?? { id: '' };
    plane.world.effects.splice(0);
    const plan = await plane.planner.plan(after);
    expect(plan.changes.map(({ action, name }) => `${action} ${name}`)).toEqual(['move fresh', 'none web']);
    expect((await plane.applyPlan(plan, after)).results).toMatchObject([{ action: 'move', status: 'done' }]);
    expect(plane.world.effects.map(({ call }) => call)).toEqual(['move']);
    expect(plane.world.resources.get('test/database/fresh')?.id).toBe(id);
    const keys = (await plane.store.list('resources')).map(({ key }) => key);
    expect(keys).toEqual(['test/database/fresh', 'test/service/web']);
    expect((await plane.planner.plan(after)).changes.every(({ action }) => action === 'none')).toBe(true);
    expect((await plane.planner.plan(plain)).changes.every(({ action }) => action === 'none')).toBe(true);
    expect((await plane.store.read('journal', 0, 100)).map(({ value }) => value)).toContainEqual(
      expect.objectContaining({ action: 'move', phase: 'outcome', ok: true, address: 'test/database/old' }),
    );
    const told = (await plane.store.read('events', 0, 1_000)).map(({ value }) => value as { type: string; message: string });
    expect(told.filter(({ message }) => message.includes('database/fresh')).map(({ type }) => type)).toEqual([
      'change.started',
      'change.finished',
    ]);
  });

  it('comes before what else the plan does with the resource', async () => {
    const plane = createControlPlane();
    await plane.apply(before);
    const larger = renaming(stackOf(blockOf('database', 'fresh', { version: '15', size: 2 }), reader('fresh')), 'database', 'old', 'fresh');
    expect((await plane.apply(larger, {})).status).toBe('succeeded');
    expect(plane.world.effects.slice(-2).map(({ call, address }) => `${call} ${address}`)).toEqual([
      'move test/database/old',
      'update test/database/fresh',
    ]);
    expect(plane.world.made).toBe(2);
  });

  it('is followed by an update when what the resource reads changes in the same run', async () => {
    const plane = createControlPlane({ behaviour: { volatileOutputs: true } });
    await plane.apply(service('old', 1));
    const moved = renaming(service('fresh', 2), 'cache', 'old', 'fresh');
    expect((await plane.apply(moved)).results.map(({ action, name }) => `${action} ${name}`)).toEqual(['update db', 'update fresh']);
    expect((await plane.planner.plan(moved)).changes.every(({ action }) => action === 'none')).toBe(true);
  });

  it('without an entry for it loses nothing: the plan is refused', async () => {
    const plane = createControlPlane();
    await plane.apply(before);
    await expect(plane.planner.plan(plain)).rejects.toMatchObject({
      code: 'protected_resource',
      help: expect.stringContaining('moved: [{ from: database/old, to: database/fresh }]'),
    });
  });

  it('that the provider cannot make becomes a new resource, and says so', async () => {
    const plane = createControlPlane({
      wrap: (provider) => without(provider, 'move'),
    });
    await plane.apply(before);
    const plan = await plane.planner.plan(after, await plane.anything());
    expect(plan.changes.map(({ action, name }) => `${action} ${name}`).toSorted()).toEqual(['create fresh', 'delete old', 'update web']);
    expect(plan.problems).toContainEqual(expect.objectContaining({ code: 'not_movable', severity: 'note' }));
  });

  it('that fails leaves the resource where it was and what stands on it alone; the next apply makes it', async () => {
    let broken = true;
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        move: async (...given) => {
          if (broken) throw new Error('no');
          return provider.move?.(...given);
        },
      }),
    });
    await plane.apply(before);
    expect((await plane.apply(after, {})).results).toMatchObject([{ action: 'move', status: 'failed' }]);
    expect([...plane.world.resources.keys()].toSorted()).toEqual(['test/database/old', 'test/service/web']);
    broken = false;
    expect((await plane.apply(after, {})).status).toBe('succeeded');
    expect(plane.world.made).toBe(2);
  });

  it.each([
    ['goes on with the move', after],
    ['takes the move back', before],
  ])('cut short anywhere loses and doubles nothing when the next apply %s', async (_, next) => {
    for (let at = 1, died = true; died; at += 1) {
      for (const moment of ['before', 'after'] as const) {
        const [store, world] = [createMemoryStore(), createSimulatedWorld()];
        await createControlPlane({ store, world }).apply(before);
        const ids = new Set(Array.from(world.resources.values(), ({ id }) => id));
        const crash = crashAt(at, moment);
        const dying = createControlPlane({ store: crash.store(store), world, wrap: crash.provider });
        await dying.apply(after, {}).catch(() => undefined);
        died = crash.died();
        const heir = createControlPlane({ store, world, seed: 7, owner: { name: 'heir', mayBeAlive: () => false } });
        const moved = (await store.get('resources', 'test/database/fresh')) !== undefined;
        // Once the move is over, the way back is a move as well.
        const stack = next === before && moved ? renaming(before, 'database', 'fresh', 'old') : next;
        expect((await heir.apply(stack, {})).status).toBe('succeeded');
        expect([...world.resources.keys()].toSorted()).toEqual(stack.blocks.map(({ address }) => address).toSorted());
        expect(new Set(Array.from(world.resources.values(), ({ id }) => id))).toEqual(ids);
        const again = await heir.planner.plan(stack);
        expect(again.changes.filter(({ action }) => action !== 'none')).toEqual([]);
      }
    }
  });
});
