import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlanOrder } from '../api/ports.ts';
import { digestJson } from '../digest/digest.ts';
import { systemRandom } from '../effects/random.ts';
import { problem } from '../errors/sluice-error.ts';
import type { Plan } from '../plan/plan.ts';
import { openFileVault } from '../secrets/file-vault.ts';
import type { loadStack } from '../stack/load.ts';
import type { ResolvedStack } from '../stack/stack.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createPlanBook, type ReloadablePlans } from './plan-book.ts';

const order: PlanOrder = {
  stack: 'shop',
  mode: 'apply',
  allowDestroy: [],
  allowMassDestroy: false,
  targets: [],
  excludes: [],
  refreshOnly: false,
  adopt: [],
  save: false,
};

describe('the plan book', () => {
  let folder: string;
  let now: number;
  let content: string;
  let state: string;
  let loaded: { path: string; options: Parameters<typeof loadStack>[1] }[];
  let store: ReturnType<typeof createMemoryStore>;
  let plans: ReloadablePlans;
  let made: number;

  const load: typeof loadStack = async (path, options) => {
    loaded.push({ path, options });
    if (content === 'wrong') return { ok: false, problems: [problem('unsupported_kind', { kind: 'queue', provider: 'local' })] };
    const name = options?.environment ?? 'staging';
    return { ok: true, value: { root: folder, environment: { name }, blocks: secrets } as unknown as ResolvedStack, problems: [] };
  };
  const secrets = [{ kind: 'secret', fields: { value: { env: 'KEY' } } }];
  let taken: unknown[];
  const make = (environment: string, mode: Plan['mode']): Promise<Plan> => {
    made += 1;
    const digests = { stackDigest: digestJson(content), stateDigest: digestJson(state) };
    const createdAt = new Date(now).toISOString();
    return Promise.resolve({ id: `plan-000${made}`, environment, mode, ...digests, createdAt, changes: [], problems: [] });
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-plans-'));
    await mkdir(join(folder, 'root', 'shop'), { recursive: true });
    await writeFile(join(folder, 'secrets.yaml'), 'outside: true');
    taken = [];
    [now, content, state, loaded, made] = [Date.parse('2026-11-22T12:00:00Z'), 'first', 'empty', [], 0];
    store = createMemoryStore();
    plans = createPlanBook({
      takeVariables: (...given) => taken.push(given),
      store,
      vault: await openFileVault({ keyFile: join(folder, 'state.key'), random: systemRandom }),
      clock: { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() },
      planner: {
        plan: (stack) => make(stack.environment.name, 'apply'),
        planDestroy: (environment) => make(environment, 'destroy'),
        planRepair: async (environment) =>
          content === 'first'
            ? undefined
            : { plan: await make(environment, 'apply'), fingerprints: { 'staging/secret/key': { value: 'new' } } },
        recorded: (environment) => {
          const settings = { name: environment, provider: 'local', fields: {} };
          const stack = { root: folder, files: [], environment: settings, environments: [environment], blocks: [] };
          return Promise.resolve({ stack, fingerprints: new Map([['staging/cache/c', { value: 'as it was' }]]) });
        },
        basis: () =>
          Promise.resolve({
            stackDigest: digestJson(content),
            stateDigest: digestJson(state),
            versions: [{ address: 'staging/database/db', version: 2 }],
            blocks: () => ({ 'staging/database/db': content, 'staging/cache/c': 'same' }),
          }),
      },
      load,
      loadRules: () => Promise.resolve({ ok: true, value: [], problems: [] }),
      root: join(folder, 'root'),
    });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('reads the stack again for an apply, from the same place, with the environment it was made for', async () => {
    const plan = await plans.create({ ...order, variables: { replicas: '2' } });
    const reloaded = await plans.reload(plan.id);
    expect(reloaded.plan).toEqual(plan);
    expect(loaded).toEqual([
      { path: join(folder, 'root', 'shop'), options: { variables: { replicas: '2' } } },
      { path: join(folder, 'root', 'shop'), options: { environment: 'staging', variables: { replicas: '2' } } },
    ]);
  });

  it('refuses to apply what is no longer true, because the stack or the environment has changed', async () => {
    const plan = await plans.create(order);
    content = 'second';
    await expect(plans.reload(plan.id)).rejects.toMatchObject({
      code: 'plan_stale',
      message: expect.stringContaining('the stack has changed'),
    });
    content = 'first';
    state = 'changed';
    await expect(plans.reload(plan.id)).rejects.toMatchObject({ code: 'plan_stale', message: expect.stringContaining('the environment') });
    state = 'empty';
    await expect(plans.reload(plan.id)).resolves.toMatchObject({ plan });
  });

  it('says of a saved plan which parts have changed, and what has changed in the environment', async () => {
    const plan = await plans.create({ ...order, save: true });
    content = 'second';
    await expect(plans.reload(plan.id)).rejects.toMatchObject({ message: expect.stringContaining('changed: database/db)') });
    content = 'first';
    state = 'other';
    await expect(plans.reload(plan.id)).rejects.toMatchObject({ message: expect.stringContaining('new: database/db)') });
  });

  it('takes in no other variables than the secrets of the stack name, and keeps none of them', async () => {
    await plans.create({ ...order, secretVariables: { KEY: 'canary-key', PATH: 'canary-path' } });
    await plans.create(order);
    expect(taken).toEqual([['staging', { KEY: 'canary-key' }]]);
    expect(JSON.stringify(await store.list('plans'))).not.toContain('canary');
  });

  it('keeps a saved plan for thirty days and another for one', async () => {
    const [saved, other] = [await plans.create({ ...order, save: true }), await plans.create(order)];
    now += 2 * 86_400_000;
    await plans.create(order);
    await expect(plans.get(saved.id)).resolves.toEqual(saved);
    await expect(plans.get(other.id)).rejects.toMatchObject({ code: 'unknown_plan' });
    now += 29 * 86_400_000;
    await plans.create(order);
    await expect(plans.get(saved.id)).rejects.toMatchObject({ code: 'unknown_plan' });
  });

  it('lets a plan be applied once, also when two try at the same time', async () => {
    const plan = await plans.create(order);
    const outcomes = await Promise.allSettled([plans.claim(plan.id, 'run-1'), plans.claim(plan.id, 'run-2')]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'plan_applied' } });
    await expect(plans.reload(plan.id)).rejects.toMatchObject({ code: 'plan_applied' });
  });

  it.each(['../secrets.yaml', '/etc/passwd', 'shop/../../secrets.yaml', 'link', 'link/secrets.yaml', '\0'])(
    'reads no stack outside its root: %j',
    async (stack) => {
      await symlink(folder, join(folder, 'root', 'link'));
      await expect(plans.create({ ...order, stack })).rejects.toMatchObject({ code: 'stack_outside_root' });
      await expect(plans.create({ ...order, stack, mode: 'destroy' })).rejects.toMatchObject({ code: 'stack_outside_root' });
      expect(loaded).toEqual([]);
    },
  );

  it('keeps the values of variables sealed', async () => {
    await plans.create({ ...order, variables: { token: 'canary-5d1' } });
    expect(JSON.stringify(await store.list('plans'))).not.toContain('canary-5d1');
  });

  it('tells everything that is wrong with a stack, and keeps no plan of it', async () => {
    content = 'wrong';
    await expect(plans.create(order)).rejects.toMatchObject({ code: 'plan_refused', problems: [{ code: 'unsupported_kind' }] });
    expect(await store.list('plans')).toEqual([]);
  });

  it('destroys an environment that is named without its stack, and else the one the stack names first', async () => {
    content = 'wrong';
    expect(await plans.create({ ...order, mode: 'destroy', environment: 'production' })).toMatchObject({ environment: 'production' });
    expect(loaded).toEqual([]);
    content = 'first';
    const plan = await plans.create({ ...order, mode: 'destroy' });
    expect(plan).toMatchObject({ environment: 'staging', mode: 'destroy' });
    expect((await plans.reload(plan.id)).stack).toBeUndefined();
  });

  it('forgets plans after a day', async () => {
    const old = await plans.create(order);
    now += 24 * 60 * 60 * 1000 + 1;
    await plans.create(order);
    await expect(plans.get(old.id)).rejects.toMatchObject({ code: 'unknown_plan' });
    expect(await store.list('plans')).toHaveLength(1);
  });

  it('keeps a plan that repairs: made from what is recorded, with the content it was made for', async () => {
    expect(await plans.createRepair('staging')).toBeUndefined();
    content = 'drifted';
    const plan = (await plans.createRepair('staging')) as Plan;
    const reloaded = await plans.reload(plan.id);
    expect([reloaded.plan, reloaded.stack?.environment.name, loaded]).toEqual([plan, 'staging', []]);
    expect(Object.fromEntries(reloaded.fingerprints ?? [])).toEqual({
      'staging/cache/c': { value: 'as it was' },
      'staging/secret/key': { value: 'new' },
    });
    state = 'changed';
    await expect(plans.reload(plan.id)).rejects.toMatchObject({ code: 'plan_stale' });
  });
});
