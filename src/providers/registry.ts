import type { Kind } from '../stack/stack.ts';
import { placed } from './placed.ts';
import type { Provider } from './provider.ts';

/** Finds the provider that makes a kind real in an environment; it is called with the addresses resources have here (see `placed`). */
export interface ProviderRegistry {
  /** Undefined when the environment's provider is not known or does not make this kind. */
  providerFor(kind: Kind, environmentProviderName: string): Provider | undefined;
}

/**
 * `environmentProviders` are chosen by an environment's `provider` field. `kindProviders` make their kinds in every environment whose own
 * provider does not. The provider recorded in a resource's state is found by its `name`.
 */
export function createProviderRegistry(providers: {
  readonly environmentProviders: Readonly<Record<string, Provider>>;
  readonly kindProviders: readonly Provider[];
}): ProviderRegistry {
  const given = new Set([...providers.kindProviders, ...Object.values(providers.environmentProviders)]);
  const asPlaced = new Map(Array.from(given, (provider) => [provider, placed(provider)]));
  const kindProviders = providers.kindProviders.map((provider) => asPlaced.get(provider) as Provider);
  const environmentProviders = Object.entries(providers.environmentProviders).map(
    ([name, provider]) => [name, asPlaced.get(provider) as Provider] as const,
  );
  const byName = new Map<string, Provider>();
  for (const provider of [...kindProviders, ...environmentProviders.map(([, provider]) => provider)]) byName.set(provider.name, provider);
  for (const [name, provider] of environmentProviders) byName.set(name, provider);
  const byKind = new Map(kindProviders.flatMap((provider) => provider.kinds.map((kind) => [kind, provider] as const)));
  return {
    providerFor: (kind, environmentProviderName) => {
      const named = byName.get(environmentProviderName);
      return named === undefined || named.kinds.includes(kind) ? named : byKind.get(kind);
    },
  };
}
