import { describe, expect, it } from 'vitest';
import type { Kind } from '../stack/stack.ts';
import type { Observation, Provider } from './provider.ts';
import { createProviderRegistry } from './registry.ts';
import type { ResourceState } from './resource-state.ts';

const named = (name: string, kinds: readonly Kind[]) => ({ name, kinds }) as unknown as Provider;
const local = named('local', ['database']);
const simulated = named('simulated', ['database', 'service']);
const services = named('services', ['service']);
const registry = createProviderRegistry({ environmentProviders: { local, simulated }, kindProviders: [services] });

/** Tells the address it is asked for. */
const read = async ({ address }: ResourceState): Promise<Observation> => ({
  status: 'present',
  drift: [{ field: address, applied: 1, observed: 2 }],
});

describe('the provider registry', () => {
  it('asks the provider of the environment first and one for the kind second', () => {
    expect(registry.providerFor('database', 'local')).toMatchObject(local);
    expect(registry.providerFor('service', 'local')).toMatchObject(services);
    expect(registry.providerFor('service', 'simulated')).toMatchObject(simulated);
  });

  it('finds the provider that a state names', () => {
    expect(registry.providerFor('service', 'services')).toMatchObject(services);
  });

  it('calls a provider with the address by which it knows a resource', async () => {
    const reading = createProviderRegistry({ environmentProviders: { local: { ...local, read } }, kindProviders: [] });
    const state = { address: 'test/database/a', placedAt: 'test/database/b' } as unknown as ResourceState;
    expect(await reading.providerFor('database', 'local')?.read(state)).toMatchObject({ drift: [{ field: 'test/database/b' }] });
  });

  it('knows no provider for a kind that nobody makes, nor for an environment whose provider is unknown', () => {
    expect(registry.providerFor('queue', 'local')).toBeUndefined();
    expect(registry.providerFor('service', 'azure')).toBeUndefined();
    expect(registry.providerFor('service', '__proto__')).toBeUndefined();
  });
});
