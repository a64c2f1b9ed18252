import type { BackendRoute } from '../../routing-table.ts';
import { splitRanges } from '../../routing/split-ranges.ts';

/** A release that can be given requests, with the point in [0, 2^32) at which one of its ranges begins. */
export interface Range {
  readonly release: string;
  readonly from: number;
}

/**
 * The same ranges as the embedded plane's, in ascending order. A release that is not ready has none while another one is: its users go where
 * they would if it had no weight.
 */
export function rangesOf(backends: readonly BackendRoute[], isReady: (backend: BackendRoute) => boolean, slots?: number): readonly Range[] {
  const anyReady = backends.some((backend) => canServe(backend) && isReady(backend));
  const weights = backends.map((backend) => ({
    weight: canServe(backend) && (!anyReady || isReady(backend)) ? backend.weight : 0,
    slot: backend.slot,
  }));
  return splitRanges(weights, slots).map(({ from, backend }) => ({ from, release: backends[backend]?.release ?? '' }));
}

function canServe(backend: BackendRoute): boolean {
  return backend.weight > 0 && hasActive(backend);
}

function hasActive(backend: BackendRoute): boolean {
  return backend.instances.some((instance) => instance.state === 'active');
}
