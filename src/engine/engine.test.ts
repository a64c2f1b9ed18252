import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { hasChanges } from '../plan/plan.ts';
import { createOutputResolver } from './output-resolver.ts';
import type { JournalEntry } from './journal.ts';
import { loadStates } from './states.ts';
import { blockOf, createControlPlane, environment, stackOf } from './testdata/control-plane.ts';

const group = blockOf('resource_group', 'main', { location: 'eastus' });
const database = (fields: JsonObject = {}) => blockOf('database', 'db', { on: ['resource_group.main'], size: 1, ...fields });
const service = blockOf('service', 'web', { env: { DATABASE: '${database.db.url}', KEY: 'k-${secret.key}' } });
const secret = blockOf('secret', 'key', { value: { env: 'KEY' } });
const stack = stackOf(service, secret, database(), group);

describe('applying a plan', () => {
  it('makes everything in order, with values put in, and says so in events and journal', async () => {
    const plane = createControlPlane();
    const report = await plane.apply(stack);
    expect(report).toMatchObject({ status: 'succeeded', environment, mode: 'apply' });
    expect(report.results.map(({ status, action }) => `${action} ${status}`)).toEqual(Array.from({ length: 4 }, () => 'create done'));
    const order = plane.world.effects.map(({ address }) => address.split('/')[2]);
    expect(order.indexOf('main')).toBeLessThan(order.indexOf('db'));
    expect(order.at(-1)).toBe('web');
    expect(plane.world.resources.get(service.address)?.fields['env']).toEqual({
      DATABASE: 'simulated://database-3/url',
      KEY: 'k-simulated://secret-1/value',
    });
    const events = await plane.events.read(0, 100);
    expect(events.map(({ type }) => type).filter((type) => type.startsWith('run'))).toEqual(['run.started', 'run.finished']);
    expect(events.filter(({ type }) => type === 'change.finished')).toHaveLength(4);
    const journal = (await plane.store.read('journal', 0, 100)).map(({ value }) => value as unknown as JournalEntry);
    expect(journal.map(({ phase }) => phase).filter((phase) => phase === 'intent')).toHaveLength(4);
    expect(journal.filter(({ phase, ok }) => phase === 'outcome' && ok === true)).toHaveLength(4);
  });

  it('makes no write to a provider when nothing has changed', async () => {
    const plane = createControlPlane();
    await plane.apply(stack);
    const before = plane.world.effects.length;
    const plan = await plane.planner.plan(stack);
    expect(hasChanges(plan)).toBe(false);
    expect(await plane.applyPlan(plan, stack)).toMatchObject({ status: 'succeeded', results: [] });
    expect(plane.world.effects).toHaveLength(before);
  });

  it('keeps secrets out of the store and opens them for those who use them', async () => {
    const plane = createControlPlane();
    await plane.apply(stack);
    const stored = JSON.stringify([
      await plane.store.list('resources'),
      await plane.store.read('journal', 0, 100),
      await plane.events.read(0, 100),
    ]);
    expect(stored).toContain('sealed:v1:');
    expect(stored).not.toContain('simulated://secret-1/value');
    expect(stored).not.toContain('simulated://database-3/url');
    const resolver = createOutputResolver(plane);
    const fields = { url: '${database.db.url}', key: '${secret.key}', plain: 'x' };
    expect(await resolver.resolve(environment, fields)).toEqual({
      url: 'simulated://database-3/url',
      key: 'simulated://secret-1/value',
      plain: 'x',
    });
    await expect(resolver.resolve(environment, { a: '${cache.none.url}' })).rejects.toMatchObject({
      code: 'output_unavailable',
      message: "${cache.none.url} has no value: there is no cache 'none' in test.",
    });
    await expect(resolver.resolve(environment, { a: '${database.db.constructor}' })).rejects.toMatchObject({ code: 'output_unavailable' });
  });

  it('lets those follow whose dependency gives other values after its update, within the same run', async () => {
    const plane = createControlPlane({ behaviour: { volatileOutputs: true } });
    await plane.apply(stack);
    const larger = stackOf(service, secret, database({ size: 2 }), group);
    const plan = await plane.planner.plan(larger);
    expect(plan.changes.filter(({ action }) => action !== 'none').map(({ name }) => name)).toEqual(['db']);
    expect(plan.problems).toMatchObject([{ code: 'follows_dependency', severity: 'note' }]);
    const report = await plane.applyPlan(plan, larger);
    expect(report.results.map(({ name, action }) => `${action} ${name}`)).toEqual(['update db', 'update web']);
    expect(hasChanges(await plane.planner.plan(larger))).toBe(false);
  });

  it('replaces by deleting first, and updates those who read its outputs', async () => {
    const plane = createControlPlane({ behaviour: { replaceFields: { database: ['version'] } } });
    await plane.apply(stack);
    const newer = stackOf(service, secret, database({ version: '16' }), group);
    const report = await plane.apply(newer);
    expect(report.results.map(({ name, action }) => `${action} ${name}`)).toEqual(['replace db', 'update web']);
    expect(plane.world.effects.slice(4).map(({ call }) => call)).toEqual(['delete', 'create', 'update']);
    expect(plane.world.resources.get(service.address)?.fields['env']).toMatchObject({ DATABASE: 'simulated://database-5/url' });
    expect(hasChanges(await plane.planner.plan(newer))).toBe(false);
  });

  it('skips what depends on a failure, names the cause, and finishes all else', async () => {
    const plane = createControlPlane({ behaviour: { quota: { database: 0 } } });
    const report = await plane.apply(stack);
    expect(report.status).toBe('failed');
    expect(Object.fromEntries(report.results.map(({ name, status }) => [name, status]))).toEqual({
      main: 'done',
      key: 'done',
      db: 'failed',
      web: 'skipped',
    });
    expect(report.results.find(({ name }) => name === 'web')?.error?.message).toContain('test/database/db was not changed as planned');
    const states = await loadStates(plane.store, environment);
    expect(states.get('test/database/db')?.state).toMatchObject({ status: 'failed', id: '' });
    const healed = createControlPlane({ store: plane.store, world: plane.world });
    const plan = await healed.planner.plan(stack);
    expect(plan.changes.find(({ name }) => name === 'db')).toMatchObject({ action: 'create', reason: 'its creation failed' });
    expect((await healed.applyPlan(plan, stack)).status).toBe('succeeded');
  });

  it('tries again what passes, under the same operation, and reports it as progress', async () => {
    const plane = createControlPlane({ behaviour: { throttling: 0.4 }, seed: 3 });
    expect((await plane.apply(stack)).status).toBe('succeeded');
    const progressed = (await plane.events.read(0, 200)).filter(({ type }) => type === 'change.progressed');
    expect(progressed.length).toBeGreaterThan(0);
    expect(progressed[0]?.message).toMatch(/too many calls\. Trying again in \d+\.\d s \(attempt 2 of 6\)\.$/);
    expect(plane.world.effects).toHaveLength(4);
  });

  it('finishes what is under way when cancelled, and begins nothing more', async () => {
    const cancel = new AbortController();
    const signals: (boolean | undefined)[] = [];
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        create: async (request, operation) => {
          if (request.kind === 'resource_group') {
            cancel.abort();
            signals.push(operation.signal.aborted, operation.lost?.aborted);
          }
          return provider.create(request, operation);
        },
      }),
    });
    const plan = await plane.planner.plan(stack);
    const report = await plane.applyPlan(plan, stack, cancel.signal);
    expect(report.status).toBe('cancelled');
    expect(signals).toEqual([true, false]);
    const results = Object.fromEntries(report.results.map(({ name, status }) => [name, status]));
    expect(results).toMatchObject({ main: 'done', db: 'skipped', web: 'skipped' });
    expect((await plane.apply(stack)).status).toBe('succeeded');
  });

  it('destroys everything from its state alone, dependents first', async () => {
    const plane = createControlPlane();
    await plane.apply(stack);
    const report = await plane.destroy();
    expect(report).toMatchObject({ status: 'succeeded', mode: 'destroy' });
    expect(plane.world.resources.size).toBe(0);
    expect(await plane.store.list('resources')).toEqual([]);
    expect(plane.world.effects.at(-1)?.address).toBe(group.address);
  });

  it('never works on more at once than the provider bears', async () => {
    let running = 0;
    let most = 0;
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        concurrency: 7,
        create: async (request, operation) => {
          running += 1;
          most = Math.max(most, running);
          await new Promise(setImmediate);
          running -= 1;
          return provider.create(request, operation);
        },
      }),
    });
    const wide = stackOf(...Array.from({ length: 40 }, (_, index) => blockOf('cache', `c-${index}`)));
    await plane.apply(wide);
    expect(most).toBe(7);
  });

  it('touches nothing when a value it needs cannot be had', async () => {
    const plane = createControlPlane();
    const broken = stackOf(database({ env: '${secret.key.nothing}' }), secret, group);
    const report = await plane.apply(broken);
    expect(report.results.find(({ name }) => name === 'db')).toMatchObject({ status: 'failed', error: { code: 'output_unavailable' } });
    expect((await loadStates(plane.store)).has('test/database/db')).toBe(false);
  });

  it('treats a defect of a provider as a failure of that change alone, and does not repeat it', async () => {
    let calls = 0;
    const plane = createControlPlane({
      wrap: (provider) => ({
        ...provider,
        create: (request, operation) => {
          if (request.kind !== 'cache') return provider.create(request, operation);
          calls += 1;
          throw new TypeError('defect');
        },
      }),
    });
    const report = await plane.apply(stackOf(blockOf('cache', 'c'), group));
    expect(report.results.find(({ name }) => name === 'c')).toMatchObject({ status: 'failed', error: { code: 'internal_error' } });
    expect(plane.world.resources.has(group.address)).toBe(true);
    expect(calls).toBe(1);
  });

  it('stops with the error of the store when the store fails', async () => {
    const plane = createControlPlane();
    const plan = await plane.planner.plan(stack);
    const transact = plane.store.transact.bind(plane.store);
    let writes = 0;
    plane.store.transact = (given) => {
      writes += 1;
      return writes === 5 ? Promise.reject(sluiceError('store_unavailable', { path: 'state.db', reason: 'disk full' })) : transact(given);
    };
    await expect(plane.applyPlan(plan, stack)).rejects.toMatchObject({ code: 'store_unavailable' });
    plane.store.transact = transact;
    expect((await plane.apply(stack)).status).toBe('succeeded');
    expect(plane.world.resources.size).toBe(4);
  });
});
