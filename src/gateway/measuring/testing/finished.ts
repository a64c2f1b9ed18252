import type { MeasuredService } from '../counts.ts';
import type { Finished } from '../meter.ts';

/** A quick request that was answered with 200, but for what is said. */
export function finished(partial: Partial<Finished> = {}): Finished {
  return {
    status: 200,
    ending: 'answered',
    firstByteMs: 5,
    totalMs: 10,
    bytesIn: 100,
    bytesOut: 1_000,
    retries: 0,
    queuedMs: 0,
    probability: 1,
    by: 'request',
    unit: 0,
    attributes: '',
    ...partial,
  };
}

/** A service of a table with these releases. */
export function measured(releases: readonly string[], evidence?: Partial<NonNullable<MeasuredService['evidence']>>): MeasuredService {
  return {
    environment: 'test',
    name: 'app',
    backends: releases.map((release) => ({ release, weight: 1, instances: [] })),
    ...(evidence && { evidence: { id: 'rollout-1', latencyThresholdsMs: [50, 200], unitWindowMs: 60_000, ...evidence } }),
  };
}
