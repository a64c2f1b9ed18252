import type { ServiceRoute } from '../gateway/routing-table.ts';
import { newMeasurementMemory, type MeasurementMemory } from './sources/measurement-memory.ts';
import type { LookedAt } from './set-forward-clock.ts';
import type { SmokeOutcome } from './strategy.ts';

const toleratedGapMs = 5_000;

/**
 * What a controller remembers of a service between two passes and may forget at any time: after a crash it is learnt again, by
 * publishing once more and by asking for what runs.
 */
export interface ServiceMemory {
  /** Since when it has been looked after without a gap: a control plane that was down, or asleep, has waited for nothing. */
  watchedSince: number;
  /** When it is to be looked at again at the latest. */
  dueAt: number;
  /** When it was looked at last, by the clock and in time that has really passed. */
  lookedAt: LookedAt | undefined;
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

export function newServiceMemory(now: number): ServiceMemory {
  return {
    watchedSince: now,
    dueAt: Number.POSITIVE_INFINITY,
    lookedAt: undefined,
    published: undefined,
    starts: new Map(),
    failedStarts: new Map(),
    stops: new Set(),
    smokes: new Map(),
    measurements: newMeasurementMemory(),
  };
}

/** A look that comes much later than it was due, or before it began, is the first after a gap: the machine was asleep, or its clock was set. */
export function noteLook(memory: ServiceMemory, now: number): void {
  if (now > memory.dueAt + toleratedGapMs || now < memory.watchedSince) memory.watchedSince = now;
  memory.dueAt = Number.POSITIVE_INFINITY;
}

/** Forgets the instances that are no longer part of the service. */
export function trimMemory(memory: ServiceMemory, ids: ReadonlySet<string>): void {
  for (const id of memory.starts.keys()) if (!ids.has(id)) memory.starts.delete(id);
  for (const id of memory.failedStarts.keys()) if (!ids.has(id)) memory.failedStarts.delete(id);
}
