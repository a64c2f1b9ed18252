import { describe, expect, it } from 'vitest';
import { problem, sluiceError } from '../errors/sluice-error.ts';
import type { SimulatedResource } from '../providers/simulated/simulated-world.ts';
import type { Kind, ResolvedBlock } from '../stack/stack.ts';
import { blockOf, createControlPlane, stackOf } from './testdata/control-plane.ts';

const group = blockOf('resource_group', 'main');

const running = (resource: SimulatedResource) => resource.running;

describe('planning', () => {
  it('refuses kinds and fields whose engine comes later, all at once and by position', async () => {
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        kinds: ['resource_group'],
        check: async () => [
          problem('unsupported_field', { kind: 'service', field: 'scaling' }),
          problem('plan_refused', { count: 1 }, { severity: 'note' }),
        ],
      }),
    });
    const stack = stackOf(group, blockOf('queue', 'jobs'));
    const gated = { ...stack, environment: { ...stack.environment, fields: { promote_from: 'staging', approval: { roles: ['x'] } } } };
    await expect(plane.planner.plan(gated)).rejects.toMatchObject({
      code: 'plan_refused',
      message: 'The stack cannot be planned: 4 errors.',
      problems: [
        { code: 'unsupported_field', message: "'promote_from' of an environment cannot be applied yet." },
        { code: 'unsupported_field', message: "'approval' of an environment cannot be applied yet." },
        { code: 'unsupported_kind', address: 'test/queue/jobs', position: { line: 1 } },
        { code: 'unsupported_field' },
        { code: 'plan_refused', severity: 'note' },
      ],
    });
  });

  it('names the block whose content cannot be read', async () => {
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        fingerprint: async () => {
          throw sluiceError('store_closed', {});
        },
      }),
    });
    await expect(plane.planner.plan(stackOf(group))).rejects.toMatchObject({
      code: 'plan_refused',
      problems: [{ code: 'store_closed', address: group.address, position: { file: 'stack.yaml' } }],
    });
  });

  it('sees outputs that are no longer those it recorded, without telling secret ones', async () => {
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        read: async () => ({ status: 'present', drift: [], outputs: { port: { value: 1 }, url: { value: 'canary' } } }),
      }),
    });
    const stack = stackOf(blockOf('database', 'db'));
    await plane.apply(stack);
    const [change] = (await plane.planner.plan(stack)).changes;
    expect(change?.fields).toMatchObject([
      { path: 'outputs.port', before: 'simulated://database-1/port', after: 1, origin: 'drift' },
      { path: 'outputs.url', before: '(secret)', after: '(secret)', origin: 'drift' },
    ]);
  });

  it('asks again when a read is turned away, and reads in parallel within bounds', async () => {
    let running = 0;
    let most = 0;
    const plane = createControlPlane({
      behaviour: { throttling: 0.3 },
      wrap: (provider) => ({
        ...provider,
        read: async (state) => {
          running += 1;
          most = Math.max(most, running);
          await new Promise(setImmediate);
          running -= 1;
          return provider.read(state);
        },
      }),
    });
    const stack = stackOf(...Array.from({ length: 50 }, (_, index) => blockOf('cache', `c-${index}`)));
    await plane.apply(stack);
    expect((await plane.planner.plan(stack)).changes.every(({ action }) => action === 'none')).toBe(true);
    expect(most).toBe(16);
  });

  it('changes nothing', async () => {
    const plane = createControlPlane();
    await plane.planner.plan(stackOf(group));
    await plane.planner.planDestroy('test');
    expect([plane.world.effects, await plane.store.list('resources'), await plane.events.last()]).toEqual([[], [], 0]);
  });

  it('refuses to destroy what is protected unless it is named', async () => {
    const plane = createControlPlane();
    const database = blockOf('database', 'db', { protect: true });
    await plane.apply(stackOf(database));
    await expect(plane.planner.planDestroy('test')).rejects.toMatchObject({ code: 'protected_resource' });
    await plane.destroy({ allowDestroy: [database.address] });
    expect(plane.world.resources.size).toBe(0);
  });
});

describe('suspending and resuming', () => {
  const layers: readonly ResolvedBlock[] = (['resource_group', 'virtual_machine', 'service'] as const satisfies readonly Kind[]).map(
    (kind, index, all) => blockOf(kind, 'x', index === 0 ? {} : { on: [`${all[index - 1]}.x`] }),
  );

  it('goes from dependents to dependencies and back', async () => {
    const plane = createControlPlane();
    await plane.apply(stackOf(...layers));
    const before = plane.world.effects.length;
    await plane.engine.suspendAll();
    expect([...plane.world.resources.values()].some(running)).toBe(false);
    await plane.engine.resumeAll();
    expect([...plane.world.resources.values()].every(running)).toBe(true);
    expect(plane.world.effects.slice(before).map(({ call, address }) => `${call} ${address.split('/')[1]}`)).toEqual([
      'suspend service',
      'suspend virtual_machine',
      'suspend resource_group',
      'resume resource_group',
      'resume virtual_machine',
      'resume service',
    ]);
  });

  it('reports a failure as an event and goes on', async () => {
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        resume: async (state) => {
          if (state.kind === 'virtual_machine') throw sluiceError('simulated_failure', { call: 'resume', address: state.address });
          return provider.resume(state);
        },
      }),
    });
    await plane.apply(stackOf(...layers));
    await plane.engine.suspendAll();
    await plane.engine.resumeAll();
    const events = (await plane.events.read(0, 100)).filter(({ type }) => type === 'resource.resumed' || type === 'change.failed');
    expect(events.map(({ type, address }) => `${type} ${address}`)).toEqual([
      'resource.resumed test/resource_group/x',
      'change.failed test/virtual_machine/x',
      'resource.resumed test/service/x',
    ]);
  });
});
