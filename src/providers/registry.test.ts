import { describe, expect, it } from 'vitest';
import type { Kind } from '../stack/stack.ts';
import type { Provider } from './provider.ts';
import { createProviderRegistry } from './registry.ts';

const named = (name: string, kinds: readonly Kind[]) => ({ name, kinds }) as unknown as Provider;
const local = named('local', ['database']);
const simulated = named('simulated', ['database', 'service']);
const services = named('services', ['service']);
const registry = createProviderRegistry({ environmentProviders: { local, simulated }, kindProviders: [services] });

describe('the provider registry', () => {
  it('asks the provider of the environment first and one for the kind second', () => {
    expect(registry.providerFor('database', 'local')).toBe(local);
    expect(registry.providerFor('service', 'local')).toBe(services);
    expect(registry.providerFor('service', 'simulated')).toBe(simulated);
  });

  it('finds the provider that a state names', () => {
    expect(registry.providerFor('service', 'services')).toBe(services);
  });

  it('knows no provider for a kind that nobody makes, nor for an environment whose provider is unknown', () => {
    expect(registry.providerFor('queue', 'local')).toBeUndefined();
    expect(registry.providerFor('service', 'azure')).toBeUndefined();
    expect(registry.providerFor('service', '__proto__')).toBeUndefined();
  });
});
