import { backendName } from '../rollout/baseline.ts';
import { revisionOf, type ServiceState } from '../rollout/service-state.ts';
import type { Load } from './decide.ts';

interface OfService {
  readonly environment: string;
  readonly service: string;
}

/** What of a gateway's counts says how much there is to do. */
export interface CountedLoad {
  readonly releases: readonly (OfService & { readonly release: string; readonly inFlight: number })[];
  readonly queues: readonly (OfService & { readonly queued: number })[];
  readonly last10s: {
    /** `p95` in milliseconds; absent when nothing was answered. */
    readonly releases: readonly (OfService & {
      readonly release: string;
      readonly requestsPerSecond: number;
      readonly p95?: number | undefined;
    })[];
  };
}

/** What a service has to do, from what the gateway has counted over the last seconds and how many instances stand ready. */
export function loadOf(state: ServiceState, counts: CountedLoad): Load {
  const isOurs = (each: OfService): boolean => each.environment === state.environment && each.service === state.name;
  const ready = new Map<string, number>();
  for (const instance of state.instances) {
    const release = backendName(state, instance);
    if (instance.phase === 'ready' && release !== undefined) ready.set(release, (ready.get(release) ?? 0) + 1);
  }
  return {
    replicas: state.replicas,
    isRollingOut: state.candidate !== undefined,
    release: revisionOf(state, state.stable)?.release ?? '',
    releases: Array.from(ready, ([release, instances]) => {
      const isIt = (each: OfService & { readonly release: string }): boolean => isOurs(each) && each.release === release;
      const recent = counts.last10s.releases.find(isIt);
      return {
        ready: instances,
        running: counts.releases.find(isIt)?.inFlight ?? 0,
        perSecond: recent?.requestsPerSecond ?? 0,
        p95: recent?.p95,
      };
    }),
    queued: counts.queues.filter(isOurs).reduce((sum, { queued }) => sum + queued, 0),
  };
}
