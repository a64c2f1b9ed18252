import type { ServiceRoute } from '../gateway/routing-table.ts';
import { newMeasurementMemory, type MeasurementMemory } from './sources/measurement-memory.ts';
import type { SmokeOutcome } from './strategy.ts';

/**
 * What a controller remembers of a service between two passes and may forget at any time: after a crash it is learnt again, by
 * publishing once more and by asking for what runs.
 */
export interface ServiceMemory {
  /** The route the gateway has acknowledged last. */
  published: ServiceRoute | undefined;
  /** Instances started by this controller: the time of the phase `starting` they were started in. */
  readonly starts: Map<string, number>;
  /** Instances that could not be started, and why. */
  readonly failedStarts: Map<string, { readonly since: number; readonly reason: string }>;
  /** Instances being stopped right now. */
  readonly stops: Set<string>;
  /** By generation of the candidate: what its smoke check came to. */
  readonly smokes: Map<number, SmokeOutcome>;
  readonly measurements: MeasurementMemory;
}

export function newServiceMemory(): ServiceMemory {
  const measurements = newMeasurementMemory();
  return { published: undefined, starts: new Map(), failedStarts: new Map(), stops: new Set(), smokes: new Map(), measurements };
}

/** Forgets the instances that are no longer part of the service. */
export function trimMemory(memory: ServiceMemory, ids: ReadonlySet<string>): void {
  for (const id of memory.starts.keys()) if (!ids.has(id)) memory.starts.delete(id);
  for (const id of memory.failedStarts.keys()) if (!ids.has(id)) memory.failedStarts.delete(id);
}
