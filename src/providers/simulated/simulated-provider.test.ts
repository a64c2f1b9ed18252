import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../digest/json.ts';
import { systemClock } from '../../effects/clock.ts';
import { seededRandom } from '../../effects/random.ts';
import { type Kind, kinds } from '../../stack/stack.ts';
import { describeProviderContract } from '../contract/provider-contract.ts';
import type { ProviderSample } from '../contract/provider-sample.ts';
import { createSimulatedProvider, type SimulatedBehaviour } from './simulated-provider.ts';
import { createSimulatedWorld, type SimulatedResource, type SimulatedWorld } from './simulated-world.ts';

const sampleOf = (kind: Kind, name: string, fields: JsonObject = {}): Pick<ProviderSample, 'kind' | 'create'> => ({
  kind,
  create: { address: `test/${kind}/${name}`, environment: 'test', kind, name, fields, declared: fields, fingerprint: {}, root: '/stack' },
});

const operation = (id: string) => ({ id, signal: new AbortController().signal, progress: () => {} });

/** Broken in one of three ways: gone, stopped, or changed. */
function breakable(world: SimulatedWorld, { kind, create }: Pick<ProviderSample, 'kind' | 'create'>, index: number): ProviderSample {
  const { address } = create;
  const breakIt = async (): Promise<void> => {
    const found = world.resources.get(address) as SimulatedResource;
    if (index % 3 === 0) world.resources.delete(address);
    else world.resources.set(address, { ...found, ...(index % 3 === 1 ? { running: false } : { declared: { size: 9 } }) });
  };
  return { kind, create, update: { size: 2 }, breakIt, refersTo: index === 0 ? [] : ['test/resource_group/one'] };
}

describeProviderContract('the simulated provider', async () => {
  const world = createSimulatedWorld();
  const made = kinds.filter((kind) => kind !== 'environment' && kind !== 'variable');
  const samples = made.map((kind, index) => breakable(world, sampleOf(kind, 'one', { size: 1 }), index));
  const provider = createSimulatedProvider({ world, clock: systemClock, random: seededRandom(1) });
  const dispose = async (): Promise<void> => {
    if (world.resources.size > 0) throw new Error('something was left behind');
  };
  return { provider, samples, dispose };
});

const outcomes = async (seed: number, behaviour: SimulatedBehaviour) => {
  const world = createSimulatedWorld();
  const provider = createSimulatedProvider({ world, clock: systemClock, random: seededRandom(seed), behaviour });
  const codes: string[] = [];
  for (let index = 0; index < 60; index += 1) {
    const request = { ...sampleOf('database', `db-${index}`).create, references: new Map() };
    codes.push(
      await provider.create(request, operation(`op-${index}`)).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    );
  }
  return { codes, made: [...world.resources.values()].map(({ name }: SimulatedResource) => name) };
};

describe('the simulated provider', () => {
  it('gives the same faults for the same seed, and others for another', async () => {
    const behaviour = { throttling: 0.2, failures: 0.3 };
    const first = await outcomes(7, behaviour);
    expect(await outcomes(7, behaviour)).toEqual(first);
    expect((await outcomes(8, behaviour)).codes).not.toEqual(first.codes);
    expect(new Set(first.codes)).toEqual(new Set(['ok', 'simulated_throttling', 'simulated_failure']));
  });

  it('loses the answer of some writes that had their effect', async () => {
    const { codes, made } = await outcomes(7, { failures: 0.5 });
    const failedYetMade = made.filter((name) => codes[Number(name.slice(3))] === 'simulated_failure');
    expect(failedYetMade.length).toBeGreaterThan(0);
    expect(made.length).toBeLessThan(60);
  });

  it('refuses more than its quota', async () => {
    const { codes } = await outcomes(1, { quota: { database: 2 } });
    expect(codes.slice(0, 3)).toEqual(['ok', 'ok', 'simulated_quota']);
  });

  it('takes its time', async () => {
    const waits: number[] = [];
    const clock = { ...systemClock, sleep: async (ms: number) => void waits.push(ms) };
    const world = createSimulatedWorld();
    const provider = createSimulatedProvider({ world, clock, random: seededRandom(1), behaviour: { latencyMs: 100 } });
    await provider.create({ ...sampleOf('cache', 'one').create, references: new Map() }, operation('op'));
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(50);
    expect(waits[0]).toBeLessThanOrEqual(100);
  });
});
