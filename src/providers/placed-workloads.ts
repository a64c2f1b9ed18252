import type { InstanceExit, Workloads } from './workloads.ts';

/**
 * Instances wherever they run: those of an image are containers, all others processes. Which one an instance is, its id tells for as long
 * as it is remembered.
 */
export function createPlacedWorkloads({
  processes,
  containers,
}: {
  readonly processes: Workloads;
  readonly containers: Workloads;
}): Workloads {
  const placeOf = async (id: string): Promise<Workloads> =>
    (await containers.list()).some((instance) => instance.id === id) ? containers : processes;
  return {
    start: (spec) => (spec.image ? containers : processes).start(spec),
    stop: async (id, deadlineMs) => (await placeOf(id)).stop(id, deadlineMs),
    inspect: async (id) => (await placeOf(id)).inspect(id),
    list: async () => (await Promise.all([processes.list(), containers.list()])).flat(),
    probe: async (id, check) => (await placeOf(id)).probe(id, check),
    onExit(listener: (id: string, exit: InstanceExit) => void) {
      const unsubscriptions = [processes.onExit(listener), containers.onExit(listener)];
      return () => {
        for (const unsubscribe of unsubscriptions) unsubscribe();
      };
    },
    forget: async (id) => (await placeOf(id)).forget(id),
  };
}
