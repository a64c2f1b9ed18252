import type { InstanceLoad } from '../data-plane.ts';
import type { ServingReport } from './serving.ts';

/** What several workers have in flight together. The first to know an instance says its state. */
export function mergeReports(reports: readonly ServingReport[]): ServingReport {
  const instances = new Map<string, InstanceLoad>();
  let inFlight = 0;
  for (const report of reports) {
    inFlight += report.inFlight;
    for (const load of report.instances) {
      const known = instances.get(load.key);
      instances.set(load.key, known === undefined ? load : { ...known, inFlight: known.inFlight + load.inFlight });
    }
  }
  return { inFlight, instances: [...instances.values()] };
}

/**
 * Stands for a worker that does not answer: whatever it was working on when it was last heard of may still run, and so may one more
 * request of every instance it knew. It is not to be believed idle before it has answered or is dead.
 */
export function silentReport(last: ServingReport): ServingReport {
  const instances = last.instances.map((load) => ({ ...load, inFlight: Math.max(load.inFlight, 1) }));
  return { inFlight: Math.max(last.inFlight, 1), instances };
}
