import type { Backend } from './choose.ts';

/** Puts into `ready` who is. Whoever was not until now begins its slow start anew. */
export function refreshBackends(backends: readonly Backend[]): void {
  for (const backend of backends) {
    backend.ready = backend.active.filter((instance) => {
      const isReady = instance.healthy && !instance.ejected;
      if (isReady && !instance.ready) instance.rampingSince = undefined;
      instance.ready = isReady;
      return isReady;
    });
  }
}
