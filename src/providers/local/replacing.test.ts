import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { systemRandom } from '../../effects/random.ts';
import { createEngine } from '../../engine/engine.ts';
import { createPlanner } from '../../engine/planner.ts';
import { createVault } from '../../secrets/file-vault.ts';
import type { ResolvedStack } from '../../stack/stack.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import { describeWith } from '../../testing/requires.ts';
import type { Provider } from '../provider.ts';
import { createProviderRegistry } from '../registry.ts';
import { createSimulatedProvider } from '../simulated/simulated-provider.ts';
import { createSimulatedWorld } from '../simulated/simulated-world.ts';
import { answersPing } from './cache/redis-protocol.ts';
import { blockOf, type LocalFixture, localFixture, stackOf } from './local-fixture.ts';

const url = '${cache.sessions.url}';
const position = { file: 'stack.yaml', line: 1, column: 1 };
const web = {
  ...blockOf('cache', { name: 'web' }),
  kind: 'service' as const,
  address: 'default/service/web' as const,
  fields: { name: 'web', env: { URL: url } },
  references: [
    {
      path: 'env.URL',
      kind: 'cache',
      name: 'sessions',
      address: 'default/cache/sessions',
      output: 'url',
      ordering: true,
      position,
    } as const,
  ],
};

const endpoint = (text: string) => {
  const { hostname: host, port, password } = new URL(text);
  return { host, port: Number(port), password };
};

describe('a replacement on this machine', () => {
  let local: LocalFixture;
  beforeAll(async () => {
    local = await localFixture();
  });
  afterAll(() => local.remove());

  const stack = (type: string): ResolvedStack => stackOf(local.root, [blockOf('cache', { name: 'sessions', type }), web]);

  describeWith('redis-server', 'of a cache', () => {
    it('has both servers answer while who uses it turns from one to the other', async () => {
      const told: { readonly url: string; readonly answers: readonly boolean[] }[] = [];
      const tell = async (fields: unknown): Promise<void> => {
        const given = (fields as { env: { URL: string } }).env.URL;
        const before = told.map((each) => each.url);
        told.push({ url: given, answers: await Promise.all([...before, given].map((each) => answersPing(endpoint(each)))) });
      };
      const simulated = createSimulatedProvider({ world: createSimulatedWorld(), clock: systemClock, random: systemRandom });
      const services: Provider = {
        ...simulated,
        kinds: ['service'],
        create: async (request, operation) => tell(request.fields).then(() => simulated.create(request, operation)),
        update: async (request, operation) => tell(request.fields).then(() => simulated.update(request, operation)),
      };
      const store = createMemoryStore();
      const [clock, random, vault] = [systemClock, systemRandom, createVault(new Uint8Array(32).fill(7), systemRandom)];
      const providers = createProviderRegistry({ environmentProviders: { local: local.provider }, kindProviders: [services] });
      const dependencies = { store, providers, vault, clock, random };
      const planner = createPlanner(dependencies);
      const engine = createEngine({ ...dependencies, events: createEventLog({ store, clock }) });
      const options = { run: 'run-1', signal: new AbortController().signal };
      const apply = async (wanted: ResolvedStack) => engine.apply(await planner.plan(wanted), wanted, options);
      try {
        expect((await apply(stack('Redis'))).status).toBe('succeeded');
        const plan = await planner.plan(stack('Valkey'));
        expect(plan.changes.find(({ action }) => action === 'replace')).toMatchObject({
          downtime: false,
          replacement: { order: 'create_first', turns: ['default/service/web'] },
        });
        expect((await engine.apply(plan, stack('Valkey'), options)).status).toBe('succeeded');
        expect(told.map(({ answers }) => answers)).toEqual([[true], [true, true]]);
        expect(new Set(told.map((each) => each.url)).size).toBe(2);
        expect(await Promise.all(told.map((each) => answersPing(endpoint(each.url))))).toEqual([false, true]);
        expect(readdirSync(join(local.home, 'caches', 'default'))).toHaveLength(1);
        expect((await planner.plan(stack('Valkey'))).changes.every(({ action }) => action === 'none')).toBe(true);
        // Suspended and resumed it is the same server, wherever it lies.
        expect(await engine.suspendAll()).toEqual([]);
        expect(await answersPing(endpoint(told[1]?.url ?? ''))).toBe(false);
        expect(await engine.resumeAll()).toEqual([]);
        expect(await answersPing(endpoint(told[1]?.url ?? ''))).toBe(true);
      } finally {
        await engine.apply(await planner.planDestroy('default'), undefined, options);
      }
      expect(await store.list('resources')).toEqual([]);
      expect(readdirSync(local.home)).toEqual(['local.key']);
    });
  });
});
