import { beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../effects/random.ts';
import type { JsonObject } from '../digest/json.ts';
import type { Address, Kind } from '../stack/stack.ts';
import { createDriftFinder, type DriftFinder } from './drift.ts';
import { createDriftLoop, type DriftLoop } from './drift-loop.ts';
import { recordedStack } from './recorded-stack.ts';
import { loadStates } from './states.ts';
import { blockOf, type ControlPlane, createControlPlane, environment, hastyClock, stackOf } from './testdata/control-plane.ts';

const stack = stackOf(
  blockOf('secret', 'key', { value: { env: 'KEY' } }),
  blockOf('database', 'db', { size: 1, on: ['secret.key'] }),
  blockOf('service', 'web', { replicas: 2, env: { DATABASE: '${database.db.url}', KEY: 'k-${secret.key}' } }),
);

describe('drift', () => {
  let plane: ControlPlane;
  let finder: DriftFinder;
  let loop: DriftLoop;
  let errors: unknown[];
  beforeEach(async () => {
    plane = createControlPlane();
    const { store, providers, vault, engine, events } = plane;
    errors = [];
    finder = createDriftFinder({ store, providers, vault, clock: hastyClock, random: seededRandom(9), engine });
    const onError = (error: unknown) => errors.push(error);
    loop = createDriftLoop({ finder, engine, store, events, clock: hastyClock, random: seededRandom(8), intervalMs: 1_000, onError });
    await plane.apply(stack);
    plane.world.effects.splice(0);
  });

  const change = (kind: Kind, name: string, declared: JsonObject): void => {
    const address: Address = `${environment}/${kind}/${name}`;
    const resource = plane.world.resources.get(address);
    if (resource !== undefined) plane.world.resources.set(address, { ...resource, declared: { ...resource.declared, ...declared } });
  };
  const repair = async () => {
    const made = await finder.planRepair(environment);
    if (made === undefined) return undefined;
    const states = Array.from((await loadStates(plane.store, environment)).values(), ({ state }) => state);
    const recorded = recordedStack(environment, states);
    const options = { run: 'run-repair', signal: new AbortController().signal, fingerprints: recorded.fingerprints };
    return { plan: made.plan, report: await plane.engine.apply(made.plan, recorded.stack, options) };
  };
  const told = async (): Promise<readonly string[]> =>
    (await plane.events.read(0, 500)).filter(({ type }) => type.startsWith('drift')).map(({ type, message }) => `${type} ${message}`);

  it('is found field by field, and there is none where nothing was touched', async () => {
    expect(await finder.find(environment)).toMatchObject({ environment, checked: 3, items: [] });
    change('service', 'web', { replicas: 5 });
    plane.world.resources.delete('test/database/db');
    expect((await finder.find(environment)).items).toEqual([
      { address: 'test/database/db', kind: 'database', name: 'db', status: 'absent', fields: [] },
      {
        address: 'test/service/web',
        kind: 'service',
        name: 'web',
        status: 'changed',
        fields: [{ field: 'replicas', applied: 2, observed: 5, accepted: false }],
      },
    ]);
    expect(plane.world.effects).toEqual([]);
  });

  it('is repaired without the stack: what was applied comes back, with values put in, and nothing else is touched', async () => {
    expect(await repair()).toBeUndefined();
    change('service', 'web', { replicas: 5 });
    const { plan, report } = (await repair()) ?? {};
    expect(plan?.changes.filter(({ action }) => action !== 'none')).toMatchObject([
      { name: 'web', action: 'update', fields: [{ path: 'replicas', before: 5, after: 2, origin: 'drift' }] },
    ]);
    expect(report).toMatchObject({ status: 'succeeded', results: [{ name: 'web', status: 'done' }] });
    expect(plane.world.effects.map(({ call, address }) => `${call} ${address}`)).toEqual(['update test/service/web']);
    expect(plane.world.resources.get('test/service/web')).toMatchObject({
      declared: { replicas: 2 },
      fields: { env: { KEY: 'k-simulated://secret-1/value' } },
    });
    expect((await finder.find(environment)).items).toEqual([]);
    const plans = await plane.planner.plan(stack);
    expect(plans.changes.map(({ action }) => action)).toEqual(['none', 'none', 'none']);
  });

  it('makes again what is gone, and lets follow who reads it', async () => {
    plane.world.resources.delete('test/database/db');
    const { report } = (await repair()) ?? {};
    expect(report?.results.map(({ name, action, status }) => `${action} ${name} ${status}`)).toEqual(['create db done', 'update web done']);
    expect((await plane.planner.plan(stack)).changes.every(({ action }) => action === 'none')).toBe(true);
  });

  it('leaves alone what a failure left unfinished: that is for an apply', async () => {
    await plane.store.transact([
      {
        operation: 'put',
        collection: 'resources',
        key: 'test/cache/half',
        value: {
          ...(await loadStates(plane.store)).get('test/database/db')?.state,
          address: 'test/cache/half',
          name: 'half',
          status: 'failed',
        } as never,
      },
    ]);
    change('service', 'web', { replicas: 5 });
    const { plan, report } = (await repair()) ?? {};
    expect(plan?.changes.find(({ name }) => name === 'half')?.action).toBe('none');
    expect(report?.results.map(({ name }) => name)).toEqual(['web']);
  });

  it('that is accepted is no drift until it changes again, for plans as well; an update forgets it', async () => {
    change('service', 'web', { replicas: 5 });
    change('database', 'db', { size: 9 });
    const accepted = await finder.accept(environment);
    expect(accepted.items.map(({ status }) => status)).toEqual(['accepted', 'accepted']);
    expect(await repair()).toBeUndefined();
    expect((await plane.planner.plan(stack)).changes.every(({ action }) => action === 'none')).toBe(true);
    expect((await finder.find(environment)).items.map(({ status, fields }) => [status, fields[0]?.accepted])).toEqual([
      ['accepted', true],
      ['accepted', true],
    ]);
    change('service', 'web', { replicas: 6 });
    expect((await finder.find(environment)).items.find(({ name }) => name === 'web')).toMatchObject({ status: 'changed' });
    await repair();
    change('service', 'web', { replicas: 6 });
    expect((await finder.find(environment)).items.find(({ name }) => name === 'web')).toMatchObject({ status: 'changed' });
    expect(plane.world.resources.get('test/database/db')?.declared).toMatchObject({ size: 9 });
  });

  it('is told once by the loop, again when it changes, and when it is gone; not while a run is at work', async () => {
    await loop.look(environment);
    change('service', 'web', { replicas: 5 });
    for (let time = 0; time < 3; time += 1) await loop.look(environment);
    change('service', 'web', { replicas: 6 });
    await loop.look(environment);
    expect(await told()).toEqual(['drift.found service/web: replicas was 2, is 5', 'drift.found service/web: replicas was 2, is 6']);
    change('database', 'db', { size: 2 });
    await plane.engine.exclusively(environment, () => loop.look(environment));
    expect(await told()).toHaveLength(2);
    change('database', 'db', { size: 1 });
    await repair();
    await loop.look(environment);
    await loop.look(environment);
    expect((await told()).slice(2)).toEqual(['drift.repaired service/web is as it was applied again']);
    expect(errors).toEqual([]);
  });

  it('is looked for again and again, with jitter, until the loop is ended; an error ends nothing', async () => {
    const waits: number[] = [];
    const stop = new AbortController();
    const { engine, store, events } = plane;
    const clock = {
      ...hastyClock,
      sleep: async (milliseconds: number) => {
        waits.push(milliseconds);
        if (waits.length === 4) stop.abort();
      },
    };
    const failing = { find: () => Promise.reject(new Error('unreadable')) };
    const options = { finder: failing, engine, store, events, clock, random: seededRandom(8), intervalMs: 1_000 };
    await createDriftLoop({ ...options, onError: (error) => errors.push(error) }).run(stop.signal);
    expect(errors).toHaveLength(3);
    expect(new Set(waits).size).toBe(4);
    for (const wait of waits) expect(wait >= 800 && wait <= 1_200).toBe(true);
  });
});
