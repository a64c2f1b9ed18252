import { plainProbability } from '../measuring/probability.ts';

/** The chance of each release that had one when a unit was drawn. */
export interface Shares {
  /** Equal for equal shares. */
  readonly key: string;
  readonly byRelease: Readonly<Record<string, number>>;
}

interface Drawn {
  readonly release: string;
  readonly weight: number;
  readonly slot?: unknown;
}

/**
 * Undefined where at most two releases can be drawn: then the chance of one says that of the other. Not so where there are slots: others may
 * come into them later.
 */
export function sharesOf(backends: readonly Drawn[]): Shares | undefined {
  const drawn = backends.filter(({ weight }) => weight > 0);
  if (drawn.length <= 2 && backends.every(({ slot }) => slot === undefined)) return undefined;
  const total = drawn.reduce((sum, { weight }) => sum + weight, 0);
  return sharesFrom(Object.fromEntries(drawn.map(({ release, weight }) => [release, plainProbability(weight / total)])));
}

/** The same shares after they were told to another process. */
export function sharesFrom(byRelease: Readonly<Record<string, number>>): Shares {
  const inOrder = Object.entries(byRelease).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return { key: inOrder.map(([release, share]) => `${release} ${share}`).join(), byRelease };
}
