import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasChanges } from '../plan/plan.ts';
import { createSimulatedWorld } from '../providers/simulated/simulated-world.ts';
import type { ResolvedStack } from '../stack/stack.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createOutputResolver } from './output-resolver.ts';
import { blockOf, type ControlPlane, createControlPlane, environment, stackOf } from './testdata/control-plane.ts';
import { crashAt } from './testdata/crash.ts';
import { randomHistory, replaceFields } from './testdata/random-stacks.ts';

const history = randomHistory({ minLength: 2, maxLength: 5 });
const nothing = stackOf();

/** What is there is exactly what the stack asks for, with the values that its dependencies have now; and a plan agrees. */
async function expectConverged(plane: ControlPlane, stack: ResolvedStack): Promise<void> {
  expect([...plane.world.resources.keys()].toSorted()).toEqual(stack.blocks.map(({ address }) => address).toSorted());
  const resolver = createOutputResolver(plane);
  for (const { address, fields } of stack.blocks) {
    const resource = plane.world.resources.get(address);
    expect(resource).toMatchObject({ declared: fields, fields: await resolver.resolve(environment, fields) });
  }
  expect((await plane.store.list('resources')).filter(({ value }) => (value as { status?: string }).status !== 'ready')).toEqual([]);
  // What is replaced strands its dependents for a moment; what is gone for good must have been let go of before.
  const gone = plane.world.effects.filter(({ call, address }) => call === 'delete' && !plane.world.resources.has(address));
  expect(gone.filter(({ stranded = [] }) => stranded.length > 0)).toEqual([]);
  const before = plane.world.effects.length;
  const plan = await plane.planner.plan(stack);
  expect(plan.changes.filter(({ action }) => action !== 'none')).toEqual([]);
  expect((await plane.applyPlan(plan, stack)).status).toBe('succeeded');
  expect(plane.world.effects).toHaveLength(before);
}

describe('any history of stacks', () => {
  it('converges at every step, is then left alone, and can be destroyed without a trace', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.boolean(), async (stacks, volatileOutputs) => {
        const plane = createControlPlane({ behaviour: { replaceFields, volatileOutputs } });
        for (const stack of stacks) {
          expect((await plane.apply(stack)).status).toBe('succeeded');
          await expectConverged(plane, stack);
          const effects = plane.world.effects.splice(0);
          expect(effects.filter(({ tookOver }) => tookOver)).toEqual([]);
        }
        await plane.destroy();
        await expectConverged(plane, nothing);
        expect(await plane.store.list('resources')).toEqual([]);
        expect(hasChanges(await plane.planner.planDestroy(environment))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('converges once a provider that fails and throttles lets it', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.boolean(), async (stacks, seed, volatileOutputs) => {
        const failing = createControlPlane({ seed, behaviour: { replaceFields, volatileOutputs, failures: 0.25, throttling: 0.1 } });
        for (const stack of stacks) await failing.apply(stack);
        const last = stacks.at(-1) as ResolvedStack;
        const { store, world } = failing;
        const healthy = createControlPlane({ store, world, seed: seed + 1_000_000, behaviour: { replaceFields, volatileOutputs } });
        world.effects.splice(0);
        expect((await healthy.apply(last)).status).toBe('succeeded');
        await expectConverged(healthy, last);
      }),
      { numRuns: 100 },
    );
  });
});

interface Crash {
  readonly from: ResolvedStack;
  readonly to: ResolvedStack;
  readonly next: ResolvedStack;
  readonly at: number;
  readonly moment: 'before' | 'after';
  readonly volatileOutputs: boolean;
}

/** Applies `from`, dies on the way to `to`, starts again and applies `next`. Says whether it died before it had finished. */
async function crashAndRecover({ from, to, next, at, moment, volatileOutputs }: Crash): Promise<boolean> {
  const [store, world, behaviour] = [createMemoryStore(), createSimulatedWorld(), { replaceFields, volatileOutputs }];
  await createControlPlane({ store, world, behaviour, seed: 1 }).apply(from);
  const crash = crashAt(at, moment);
  const dying = createControlPlane({ store: crash.store(store), world, behaviour, seed: 2, wrap: crash.provider });
  const attempt = to.blocks.length === 0 ? dying.destroy() : dying.apply(to);
  await attempt.catch(() => undefined);
  world.effects.splice(0);
  const reborn = createControlPlane({ store, world, behaviour, seed: 3 });
  await reborn.engine.recover();
  const report = next.blocks.length === 0 ? await reborn.destroy() : await reborn.apply(next);
  expect(report.status).toBe('succeeded');
  await expectConverged(reborn, next);
  return crash.died();
}

describe('a crash', () => {
  const group = blockOf('resource_group', 'main');
  const before = stackOf(group, blockOf('database', 'db', { version: 1 }), blockOf('cache', 'old', { on: ['resource_group.main'] }));
  const after = stackOf(
    blockOf('resource_group', 'main', { size: 2 }),
    blockOf('database', 'db', { version: 2, on: ['resource_group.main'] }),
    blockOf('service', 'web', { env: { URL: '${database.db.url}' } }),
    blockOf('secret', 'key'),
  );

  it.each([
    ['an apply is finished by the next', before, after, after],
    ['an apply is taken back by the next', before, after, before],
    ['a destruction is finished by the next', after, nothing, nothing],
    ['a destruction is taken back by an apply', after, nothing, after],
  ] as const)('at every effect of %s', async (_, from, to, next) => {
    for (const moment of ['before', 'after'] as const) {
      let at = 1;
      while (await crashAndRecover({ from, to, next, at, moment, volatileOutputs: true })) at += 1;
      expect(at).toBeGreaterThan(15);
    }
  });

  it('leaves creations that go on under the operation they began with', async () => {
    for (let at = 1, died = true; died; at += 1) {
      const [store, world] = [createMemoryStore(), createSimulatedWorld()];
      const crash = crashAt(at, 'after');
      const dying = createControlPlane({ store: crash.store(store), world, seed: 2, wrap: crash.provider });
      await dying.apply(after).catch(() => undefined);
      await createControlPlane({ store, world, seed: 3 }).apply(after);
      expect(world.effects.filter(({ tookOver }) => tookOver)).toEqual([]);
      died = crash.died();
    }
  });

  it('anywhere between random stacks leaves neither duplicates nor orphans', async () => {
    let crashes = 0;
    const crash = fc.record({
      stacks: randomHistory({ minLength: 3, maxLength: 3 }),
      back: fc.boolean(),
      at: fc.integer({ min: 1, max: 60 }),
      moment: fc.constantFrom('before', 'after'),
      volatileOutputs: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(crash, async ({ stacks, back, ...given }) => {
        const [from = nothing, to = nothing, other = nothing] = stacks;
        if (await crashAndRecover({ from, to, next: back ? from : other, ...given })) crashes += 1;
      }),
      { numRuns: 150 },
    );
    expect(crashes).toBeGreaterThan(30);
  });
});
