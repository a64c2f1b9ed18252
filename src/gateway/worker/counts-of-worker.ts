import type { ProcessIdentity } from '../../effects/processes.ts';
import type { WorkerCounts } from '../measuring/meters.ts';

/** What a worker answers to `collect` of `counts`: its name, and all it has counted. Taken once: outcomes of units are in one answer only. */
export type TakenCounts = readonly [worker: string, told: WorkerCounts];

/** A name that no later worker has again. */
export function workerName({ pid, startTime }: ProcessIdentity): string {
  return `${pid}-${startTime}`;
}
