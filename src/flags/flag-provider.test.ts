import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../digest/json.ts';
import { createPlanner } from '../engine/planner.ts';
import { createApiFixture } from '../api/testdata/api-fixture.ts';
import { systemClock } from '../effects/clock.ts';
import { systemRandom } from '../effects/random.ts';
import { describeProviderContract } from '../providers/contract/provider-contract.ts';
import { createProviderRegistry } from '../providers/registry.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import { createVault } from '../secrets/file-vault.ts';
import { loadStack } from '../stack/load.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { flagRequest, operation } from './testdata/flag-world.ts';

const actor = { key: 'key-1', name: 'ann', role: 'operator' } as const;
const cite: JsonObject = {
  name: 'cite',
  variants: { on: true, off: false },
  default: 'off',
  rules: [{ when: { plan: 'pro' }, serve: 'on' }],
};

describeProviderContract('the provider of flags', async () => {
  const { flagParts } = await createApiFixture();
  const { references: _, ...create } = flagRequest('production', cite);
  const breakIt = async (): Promise<void> => {
    await flagParts.documents.change(
      'production',
      'cite',
      (current) =>
        current && { after: { ...current, declared: { ...current.declared, default: 'on' } }, change: { action: 'applied', by: 'nobody' } },
    );
  };
  return { provider: flagParts.provider, samples: [{ kind: 'flag', create, update: { default: 'on' }, breakIt }], dispose: async () => {} };
});

/** What the engine would remember of an applied flag. */
function stateOf(fields: JsonObject, id: string): ResourceState {
  const { address, environment, kind, name, declared } = flagRequest('production', fields);
  const at = '2026-11-22T12:00:00.000Z';
  const rest = { fingerprint: {}, resolved: {}, outputs: {}, dependencies: [], root: '/', operation: '', createdAt: at, updatedAt: at };
  return { address, environment, kind, name, declared, provider: 'flags', status: 'ready', id, ...rest };
}

async function planOf(text: string, fixture: Awaited<ReturnType<typeof createApiFixture>>) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-flags-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'stack.yaml'), text);
  const loaded = await loadStack(join(folder, 'stack.yaml'), { environment: 'production' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const providers = createProviderRegistry({ environmentProviders: {}, kindProviders: [fixture.flagParts.provider] });
  const named = { ...providers, providerFor: () => providers.providerFor('flag', 'flags') };
  const vault = createVault(new Uint8Array(32), systemRandom);
  return createPlanner({ store: fixture.store, providers: named, vault, clock: systemClock, random: systemRandom }).plan(loaded.value);
}

const stack = `
environment: { name: production, provider: local }
flag: { name: cite, variants: { on: true, off: false }, default: off, rules: [ { when: { plan: pro }, serve: on } ] }
`;

describe('a flag that was set by hand', () => {
  it('is no drift, is told by every plan, and survives an apply; what the stack says changes beneath it', async () => {
    const fixture = await createApiFixture();
    const { provider, desk, sets } = fixture.flagParts;
    const { id } = await provider.create(flagRequest('production', cite), operation());
    await fixture.store.transact([
      { operation: 'put', collection: 'resources', key: 'production/flag/cite', value: stateOf(cite, id) as unknown as JsonObject },
    ]);
    expect((await planOf(stack, fixture)).problems).toEqual([]);
    await desk.kill('production', 'cite', { actor, reason: 'wrong sources' });
    const plan = await planOf(stack, fixture);
    expect(plan.changes.map(({ action }) => action)).toEqual(['none']);
    expect(plan.problems).toMatchObject([
      {
        severity: 'warning',
        code: 'flag_overridden',
        message: expect.stringMatching(/serves off to everybody \(killed\), by ann since .* \(wrong sources\)/),
      },
    ]);
    await provider.update({ ...flagRequest('production', { ...cite, rules: [] }), current: stateOf(cite, id) }, operation());
    expect((await sets.of('production')).flags.get('cite')?.evaluate({ plan: 'pro' })).toMatchObject({ matched: 'killed' });
    await desk.clear('production', 'cite', { actor });
    expect((await sets.of('production')).flags.get('cite')?.evaluate({ plan: 'pro' })).toMatchObject({ variant: 'off', reason: 'static' });
    await expect(desk.clear('production', 'cite', { actor })).rejects.toMatchObject({ code: 'flag_not_overridden' });
  });

  it('keeps the variant it serves from being taken away, in the plan and in the apply', async () => {
    const fixture = await createApiFixture();
    const { provider, desk } = fixture.flagParts;
    const { id } = await provider.create(flagRequest('production', cite), operation());
    await desk.set('production', 'cite', { variant: 'on', percent: 20 }, { actor });
    const without: JsonObject = { name: 'cite', variants: { off: false }, default: 'off' };
    await expect(
      planOf('environment: { name: production, provider: local }\nflag: { name: cite, variants: { off: false }, default: off }', fixture),
    ).rejects.toMatchObject({
      problems: [{ code: 'flag_override_orphaned', position: { line: 2 } }],
    });
    await expect(provider.update({ ...flagRequest('production', without), current: stateOf(cite, id) }, operation())).rejects.toMatchObject(
      { code: 'flag_override_orphaned' },
    );
    expect(await provider.lossOf?.(stateOf(cite, id))).toMatchObject([{ code: 'flag_override_lost' }]);
  });

  it('is in the audit log, in the history and in the events, with who and why, in one transaction', async () => {
    const { flagParts, audit, events } = await createApiFixture();
    const { provider, desk } = flagParts;
    await provider.create(flagRequest('production', cite), { ...operation(), by: 'bob' });
    await Promise.all([
      desk.set('production', 'cite', { variant: 'on' }, { actor, reason: 'a try' }),
      desk.kill('production', 'cite', { actor, reason: 'wrong' }),
      provider.update({ ...flagRequest('production', { ...cite, rules: [] }), current: stateOf(cite, '') }, operation()),
    ]);
    await desk.clear('production', 'cite', { actor });
    const records = await audit.read(0, 10);
    expect(
      new Set(records.map(({ action, phase, target, reason, actor: by }) => [action, phase, target, reason, by.name].join(' '))),
    ).toEqual(
      new Set([
        'flag.set done production/flag/cite a try ann',
        'flag.kill done production/flag/cite wrong ann',
        'flag.clear done production/flag/cite  ann',
      ]),
    );
    const history = await desk.history('production', 'cite', 10);
    expect(history.map(({ action }) => action).toSorted()).toEqual(['applied', 'applied', 'cleared', 'killed', 'set']);
    expect(history[0]).toMatchObject({ action: 'cleared', by: 'ann', serves: 'off' });
    expect(history.at(-1)).toMatchObject({ action: 'applied', by: 'bob' });
    expect((await events.read(0, 10)).map(({ type, level }) => `${type} ${level}`).toSorted()).toEqual([
      'flag.changed info',
      'flag.changed info',
      'flag.changed warning',
    ]);
    await expect(desk.set('production', 'cite', { variant: 'blue' }, { actor })).rejects.toMatchObject({ code: 'unknown_variant' });
    await expect(desk.kill('production', 'none', { actor })).rejects.toMatchObject({ code: 'unknown_flag' });
    expect(await audit.last()).toBe(3);
    await provider.delete(stateOf(cite, ''), { ...operation(), by: 'carol' });
    expect((await desk.history('production', 'cite', 1))[0]).toMatchObject({ action: 'removed', by: 'carol' });
  });
});

describe('a flag in a stack', () => {
  it('may not read outputs or secrets, and is warned about rules that are never reached', async () => {
    const fixture = await createApiFixture();
    const foreign = `${stack.replace('name: cite', 'name: leak').replace('on: true, off: false', "on: '${secret.k}', off: x")}secret: { name: k, value: { generated: { length: 32 } } }`;
    await expect(planOf(foreign, fixture)).rejects.toMatchObject({
      problems: [{ code: 'flag_value_foreign', address: 'production/flag/leak' }],
    });
    const plan = await planOf(
      stack.replace('{ when: { plan: pro }, serve: on }', '{ serve: off }, { when: { plan: pro }, serve: on }'),
      fixture,
    );
    expect(plan.problems).toMatchObject([
      { severity: 'warning', message: "Rule 2 of the flag 'cite' is never reached: rule 1 holds for everyone." },
    ]);
  });
});
