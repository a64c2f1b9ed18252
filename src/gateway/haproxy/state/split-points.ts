import type { BackendRoute } from '../../routing-table.ts';

/** Points are drawn uniformly from [0, 2^32): by HAProxy's random numbers, or as XXH32 of a unit. */
export const pointRange = 2 ** 32;

/** The releases that can be given requests, each with the point at which its range begins; the last one reaches to the end. */
export interface Range {
  readonly release: string;
  readonly from: number;
}

/**
 * Ranges in the order of the table, so that those before the last (the stable release) only grow as their weight does. A release without
 * `isReady` gets nothing while another one has it.
 */
export function rangesOf(backends: readonly BackendRoute[], isReady: (backend: BackendRoute) => boolean): readonly Range[] {
  const weighted = backends.filter((backend) => backend.weight > 0 && hasActive(backend));
  const ready = weighted.filter(isReady);
  const chosen = ready.length > 0 ? ready : weighted;
  const total = chosen.reduce((sum, backend) => sum + backend.weight, 0);
  let sum = 0;
  return chosen.map((backend) => {
    const from = Math.round((sum / total) * pointRange);
    sum += backend.weight;
    return { release: backend.release, from };
  });
}

export function hasActive(backend: BackendRoute): boolean {
  return backend.instances.some((instance) => instance.state === 'active');
}
