/** Tokens that were taken from one bucket of a rate limit. */
export interface Spending {
  /** As `limitName` gives it. */
  readonly limit: string;
  readonly key: string;
  readonly tokens: number;
}

/** Names one of a service's rate limits in every process that serves by the same table. */
export function limitName(service: { readonly environment: string; readonly name: string }, index: number): string {
  return `${service.environment}/${service.name}#${index}`;
}

/** Gathers what is taken until it is told to the others, who keep the same limits. */
export interface SpendingBook {
  taken(limit: string, key: string): void;
  /** Everything since the last time. */
  collect(): readonly Spending[];
}

/** `begun` is called with the first token after each `collect`. */
export function createSpendingBook(begun: () => void): SpendingBook {
  const limits = new Map<string, Map<string, number>>();
  return {
    taken: (limit, key) => {
      if (limits.size === 0) begun();
      let keys = limits.get(limit);
      if (keys === undefined) {
        keys = new Map();
        limits.set(limit, keys);
      }
      keys.set(key, (keys.get(key) ?? 0) + 1);
    },
    collect: () => {
      const spent: Spending[] = [];
      for (const [limit, keys] of limits) for (const [key, tokens] of keys) spent.push({ limit, key, tokens });
      limits.clear();
      return spent;
    },
  };
}
