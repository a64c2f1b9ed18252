import { describe, expect, it } from 'vitest';
import type { Provider } from '../providers/provider.ts';
import { createSimulatedWorld } from '../providers/simulated/simulated-world.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { blockOf, createControlPlane, type Setup, stackOf } from './testdata/control-plane.ts';
import { crashAt } from './testdata/crash.ts';

const behaviour = { replaceFields: { cache: ['version'], network: ['version'] }, coexistence: { cache: { exclusive: ['port'] } } } as const;
const cache = (version: number, more = {}) => blockOf('cache', 'main', { version, ...more });
const web = blockOf('service', 'web', { env: { URL: '${cache.main.url}' } });
const job = blockOf('service', 'job', { on: ['cache.main'] });
const holding = (version: number) => stackOf(blockOf('database', 'main', { version }));
const before = stackOf(cache(1), web, job);
const after = stackOf(cache(2), web, job);

type Refused = ReadonlySet<string>;

function ask(refused: Refused, call: 'create' | 'update' | 'delete', address: string): void {
  if ([address, address.split('/')[1]].some((what) => refused.has(`${call} ${what}`)))
    throw sluiceError('simulated_failure', { call, address });
}

/** Refuses the calls that `refused` names while it does. */
const refusing =
  (refused: Refused) =>
  (provider: Provider): Provider => ({
    ...provider,
    create: async (request, operation) => {
      ask(refused, 'create', request.address);
      return provider.create(request, operation);
    },
    update: async (request, operation) => {
      ask(refused, 'update', request.address);
      return provider.update(request, operation);
    },
    delete: async (state, operation) => {
      ask(refused, 'delete', state.address);
      return provider.delete(state, operation);
    },
  });

async function applied(setup: Setup = {}) {
  const plane = createControlPlane({ behaviour, ...setup });
  await plane.apply(before, {});
  plane.world.effects.splice(0);
  const records = async () => (await plane.store.list('resources')).map(({ key, value }) => [key, value as { copy?: unknown }] as const);
  const calls = () => plane.world.effects.splice(0).map(({ call, address }) => `${call} ${address.replace(/-[0-9a-f]{8}$/, '-2')}`);
  return { ...plane, records, calls };
}

describe('a replacement whose two copies can be there at once', () => {
  it('makes the new copy, turns all that use it, and deletes the old one last', async () => {
    const plane = await applied();
    const plan = await plane.planner.plan(after);
    const replaced = plan.changes.find(({ action }) => action === 'replace');
    expect(replaced).toMatchObject({
      downtime: false,
      replacement: { order: 'create_first', turns: ['test/service/job', 'test/service/web'] },
    });
    expect((await plane.applyPlan(plan, after)).status).toBe('succeeded');
    const [first, ...rest] = plane.calls();
    expect(first).toBe('create test/cache/main-2');
    expect(rest.slice(0, 2).toSorted()).toEqual(['update test/service/job', 'update test/service/web']);
    expect(rest.slice(2)).toEqual(['delete test/cache/main']);
    expect((await plane.records()).map(([key]) => key)).toEqual(['test/cache/main', 'test/service/job', 'test/service/web']);
    expect((await plane.planner.plan(after)).changes.every(({ action }) => action === 'none')).toBe(true);
    await plane.apply(stackOf(cache(3), web, job));
    expect(plane.world.resources.size).toBe(3);
    expect((await plane.destroy()).status).toBe('succeeded');
    expect([plane.world.resources.size, (await plane.records()).length]).toEqual([0, 0]);
  });

  it('deletes first where both would have the same port, or where the provider keeps one, and says so', async () => {
    const plane = createControlPlane({ behaviour });
    await plane.apply(stackOf(cache(1, { port: 1 }), blockOf('network', 'net', { version: 1 })));
    const plan = await plane.planner.plan(stackOf(cache(2, { port: 1 }), blockOf('network', 'net', { version: 2 })));
    expect(plan.changes.map(({ downtime, replacement }) => [downtime, replacement?.because])).toEqual([
      [true, 'both would have the same port'],
      [true, 'its provider keeps one network of a name'],
    ]);
    const free = await plane.planner.plan(stackOf(cache(2, { port: 2 }), blockOf('network', 'net', { version: 1 })));
    expect(free.changes[0]).toMatchObject({ downtime: false, replacement: { order: 'create_first' } });
  });

  it('keeps the old copy in use when the new one cannot be made, and wants it no more when the stack is as it was', async () => {
    const refused = new Set<string>();
    const plane = await applied({ wrap: refusing(refused) });
    refused.add('create cache');
    const was = await plane.records();
    expect(await plane.apply(after)).toMatchObject({ status: 'failed' });
    expect(plane.calls()).toEqual([]);
    const is = await plane.records();
    expect(is.filter(([, { copy }]) => copy === undefined)).toEqual(was);
    expect(is).toHaveLength(was.length + 1);
    const back = await plane.planner.plan(before);
    expect(back.changes.filter(({ action }) => action !== 'none')).toMatchObject([{ action: 'delete', copyOf: 'test/cache/main' }]);
    refused.clear();
    expect((await plane.apply(after)).status).toBe('succeeded');
    expect(plane.world.resources.size).toBe(3);
  });

  it('keeps the old copy until the last dependent has turned, over any number of applies', async () => {
    const refused = new Set(['update service']);
    const plane = await applied({ wrap: refusing(refused) });
    for (let tries = 0; tries < 2; tries += 1) {
      const report = await plane.apply(after);
      expect(report.results.filter(({ status }) => status === 'failed')).toHaveLength(2);
      expect(report.results.at(-1)).toMatchObject({ action: 'delete', status: 'skipped' });
      expect(plane.world.resources.has('test/cache/main')).toBe(true);
    }
    refused.clear();
    await plane.apply(after);
    expect(plane.world.resources.has('test/cache/main')).toBe(false);
  });

  it('plans only the deletion of an old copy that nothing uses any more', async () => {
    const refused = new Set(['delete test/cache/main']);
    const plane = await applied({ wrap: refusing(refused) });
    expect((await plane.apply(after)).results.at(-1)).toMatchObject({ action: 'delete', status: 'failed' });
    const plan = await plane.planner.plan(after);
    expect(plan.changes.filter(({ action }) => action !== 'none')).toMatchObject([
      { action: 'delete', reason: 'the old copy of cache/main' },
    ]);
    // What is declared anew meanwhile keeps away from the place that the old copy still holds.
    await plane.apply(stackOf(blockOf('network', 'net')));
    await plane.apply(stackOf(blockOf('network', 'net'), cache(3)));
    expect((await plane.records()).filter(([key]) => key.includes('cache'))).toHaveLength(2);
    expect(plane.world.effects.some(({ tookOver }) => tookOver)).toBe(false);
    refused.clear();
    await plane.apply(stackOf(blockOf('network', 'net'), cache(3)));
    expect((await plane.records()).map(([key]) => key)).toEqual(['test/cache/main', 'test/network/net']);
    expect(plane.world.resources.size).toBe(2);
  });

  it('keeps the old copy for those that a limited plan does not turn', async () => {
    const plane = await applied();
    const plan = await plane.planner.plan(after, { targets: ['cache/main', 'service/web'] });
    expect(plan.changes.find(({ action }) => action === 'replace')).toMatchObject({
      replacement: { turns: ['test/service/web'], staysFor: ['test/service/job'] },
    });
    await plane.applyPlan(plan, after);
    expect(plane.calls()).toEqual(['create test/cache/main-2', 'update test/service/web']);
    await plane.apply(after);
    expect(plane.calls()).toEqual(['update test/service/job', 'delete test/cache/main']);
  });

  it('asks again before an old copy goes that holds data', async () => {
    const stateful = { replaceFields: { database: ['version'] }, coexistence: { database: { exclusive: [] } } };
    const refused = new Set<string>();
    const plane = createControlPlane({ behaviour: stateful, wrap: refusing(refused) });
    await plane.apply(holding(1), {});
    await expect(plane.apply(holding(2), {})).rejects.toMatchObject({ code: 'protected_resource' });
    refused.add('delete database');
    await plane.apply(holding(2), { allowDestroy: ['database/main'] });
    refused.clear();
    await expect(plane.apply(holding(2), {})).rejects.toMatchObject({ code: 'protected_resource' });
    expect((await plane.apply(holding(2), { allowDestroy: ['database/main'] })).status).toBe('succeeded');
    expect(plane.world.resources.size).toBe(1);
  });

  it('survives a death at every write and every call, and never is without a copy', async () => {
    for (const moment of ['before', 'after'] as const) {
      let died = true;
      let at = 0;
      for (at = 1; died; at += 1) {
        const [store, world] = [createMemoryStore(), createSimulatedWorld()];
        await createControlPlane({ store, world, behaviour }).apply(before, {});
        const crash = crashAt(at, moment);
        const dying = createControlPlane({ store: crash.store(store), world, behaviour, seed: 2, wrap: crash.provider });
        await dying.apply(after).catch(() => undefined);
        died = crash.died();
        expect([...world.resources.values()].some(({ kind }) => kind === 'cache')).toBe(true);
        expect((await createControlPlane({ store, world, behaviour, seed: 3 }).apply(after)).status).toBe('succeeded');
        expect(world.resources.size).toBe(3);
        expect(world.effects.filter(({ tookOver, stranded = [] }) => tookOver || stranded.length > 0)).toEqual([]);
        const records = (await store.list('resources')).map(({ key }) => key);
        expect(records).toEqual(['test/cache/main', 'test/service/job', 'test/service/web']);
      }
      expect(at).toBeGreaterThan(12);
    }
  });
});
