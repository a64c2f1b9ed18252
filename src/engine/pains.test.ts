// What users of other tools complain about, as tests that it cannot happen here. docs/proof.md lists them all.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Provider } from '../providers/provider.ts';
import type { Reference, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store, Write } from '../store/store.ts';
import { until } from '../testing/conditions.ts';
import { blockOf, createControlPlane, stackOf } from './testdata/control-plane.ts';

/** The same object, with a tally of how often anything of it is looked at. */
function watched<Value extends object>(value: Value, tally: { looks: number }): Value {
  return new Proxy(value, {
    get: (target, name) => {
      tally.looks += 1;
      return Reflect.get(target, name) as unknown;
    },
  });
}

function recording(store: Store): { store: Store; written: Write[]; reads: () => number } {
  const written: Write[] = [];
  let reads = 0;
  const counted = <Result>(result: Result): Result => {
    reads += 1;
    return result;
  };
  return {
    written,
    reads: () => reads,
    store: {
      ...store,
      get: (...given) => counted(store.get(...given)),
      list: (...given) => counted(store.list(...given)),
      transact: (writes) => {
        written.push(...writes);
        return store.transact(writes);
      },
    },
  };
}

/** `size` caches in a row of groups, each standing on the group and the cache before it. */
function rowOf(size: number, changed = -1): ResolvedStack {
  return stackOf(
    blockOf('resource_group', 'shop'),
    ...Array.from({ length: size - 1 }, (_, index) =>
      blockOf('cache', `c${index}`, {
        size: index === changed ? 2 : 1,
        on: index % 10 === 0 ? ['resource_group.shop'] : ['resource_group.shop', `cache.c${index - 1}`],
      }),
    ),
  );
}

/** What a plan without changes takes: looks at what the stack declares, reads of the store, calls of the provider. */
async function workOf(size: number): Promise<{ looks: number; reads: number; calls: number }> {
  const { store, reads } = recording(createMemoryStore());
  let calls = 0;
  const counting = (provider: Provider): Provider => ({
    ...provider,
    read: (state) => {
      calls += 1;
      return provider.read(state);
    },
  });
  const plane = createControlPlane({ store, wrap: counting });
  const stack = rowOf(size);
  await plane.apply(stack);
  const tally = { looks: 0 };
  const looked: ResolvedStack = {
    ...stack,
    blocks: stack.blocks.map((block) =>
      watched({ ...block, references: block.references.map((each) => watched(each, tally)) } satisfies ResolvedBlock, tally),
    ),
  };
  const before = { reads: reads(), calls };
  const plan = await plane.planner.plan(looked);
  expect(plan.changes.map(({ action }) => action)).toEqual(stack.blocks.map(() => 'none'));
  return { looks: tally.looks, reads: reads() - before.reads, calls: calls - before.calls };
}

describe('plans that take 25 minutes for 2,900 resources', () => {
  it('cannot happen: ten times the resources are ten times the work, one read of the provider each, and no more of the store', async () => {
    const [small, large] = [await workOf(290), await workOf(2_900)];
    expect([small.calls, large.calls]).toEqual([290, 2_900]);
    expect(large.reads).toBe(small.reads);
    expect(large.looks / small.looks).toBeGreaterThan(9);
    expect(large.looks / small.looks).toBeLessThan(11);
  });

  it('cannot happen with a million references either: each is looked at a few times', { timeout: 120_000 }, async () => {
    const side = 1_001;
    const tally = { looks: 0 };
    const groups = Array.from({ length: side }, (_, index) => blockOf('resource_group', `g${index}`));
    const references = groups.map(
      ({ kind, name, address, position }, index): Reference =>
        watched({ path: `on.${index}`, kind, name, address, ordering: true, position }, tally),
    );
    const networks = Array.from({ length: side }, (_, index) => ({ ...blockOf('network', `n${index}`), references }));
    const plan = await createControlPlane().planner.plan(stackOf(...groups, ...networks));
    expect(plan.changes.filter(({ action }) => action === 'create')).toHaveLength(2 * side);
    expect(plan.changes.at(-1)?.after).toHaveLength(side);
    expect(side * side).toBeGreaterThan(1_000_000);
    expect(tally.looks / (side * side)).toBeLessThan(12);
  });
});

/** What is written for one change in a state of `size` resources. */
async function bytesOf(size: number): Promise<number> {
  const { store, written } = recording(createMemoryStore());
  const plane = createControlPlane({ store });
  await plane.apply(rowOf(size));
  written.length = 0;
  await plane.apply(rowOf(size));
  expect(written.filter((write) => 'collection' in write && write.collection === 'resources')).toEqual([]);
  expect(written.filter((write) => 'log' in write && write.log === 'journal')).toEqual([]);
  written.length = 0;
  await plane.apply(rowOf(size, 100));
  expect(written.some((write) => 'log' in write && write.log === 'journal')).toBe(true);
  return JSON.stringify(written).length;
}

describe('a state that is written whole at each step', () => {
  it('cannot happen: where nothing changes nothing is written, and a change writes the same in a state of any size', async () => {
    const [small, large] = [await bytesOf(165), await bytesOf(1_650)];
    expect(large / small).toBeLessThan(1.1);
  });
});

describe('a run that is killed and leaves a state that crashes every later one', () => {
  const program = fileURLToPath(new URL('./testdata/engine-process.ts', import.meta.url));
  let folder: string;
  let children: ChildProcess[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-pains-'));
    children = [];
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const start = (names: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [program, folder, 'apply', ...names], { stdio: ['ignore', 'ignore', 'inherit'] });
    children.push(child);
    return child;
  };

  it('cannot happen: of five killed at work, none leaves anything but what is there, and the next one finishes', async () => {
    const names = ['a', 'b', 'c', 'd', 'slow', 'f', 'g'];
    const made = (): readonly string[] => readdirSync(folder).filter((name) => name.startsWith('resource-'));
    for (let kill = 0; kill < 5; kill += 1) {
      // Killed after its first, second, ... effect, and in the end while it tries one that is turned away again and again.
      writeFileSync(join(folder, 'gate'), '');
      rmSync(join(folder, 'waiting'), { force: true });
      const child = start(names);
      await until('it to be at work', () => made().length > kill || existsSync(join(folder, 'waiting')));
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      const store = await openSqliteStore({ path: join(folder, 'state.db') });
      const states = (await store.list('resources')).map(({ value }) => value as { address: string; status: string });
      const recorded = new Set(states.map(({ address }) => `resource-${address.replaceAll('/', '.')}`));
      // What is there is recorded, what is recorded as ready is there.
      expect(made().filter((file) => !recorded.has(file))).toEqual([]);
      const ready = states.filter(({ status }) => status === 'ready').map(({ address }) => `resource-${address.replaceAll('/', '.')}`);
      expect(ready.filter((file) => !made().includes(file))).toEqual([]);
      await store.close();
    }
    rmSync(join(folder, 'gate'));
    expect((await once(start(names), 'exit'))[0]).toBe(0);
    expect(made()).toHaveLength(names.length);
    const effects = readFileSync(join(folder, 'effects'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\d+ /, ''));
    // Nothing is made twice. One that was killed after an effect and before its line has left the effect alone.
    expect(effects.filter((effect, index) => effects.indexOf(effect) !== index)).toEqual([]);
    expect(effects.filter((effect) => !names.some((name) => effect === `create test/cache/${name}`))).toEqual([]);
  });
});
