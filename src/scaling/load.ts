import type { GatewayCounts } from '../gateway/measuring/report.ts';
import { backendName } from '../rollout/baseline.ts';
import { revisionOf, type ServiceState } from '../rollout/service-state.ts';
import type { Load } from './decide.ts';

/** What a service has to do, from what the gateway has counted over the last seconds and how many instances stand ready. */
export function loadOf(state: ServiceState, counts: Pick<GatewayCounts, 'releases' | 'queues' | 'last10s'>): Load {
  const isOurs = (each: { readonly environment: string; readonly service: string }): boolean =>
    each.environment === state.environment && each.service === state.name;
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
      const isIt = (each: { readonly environment: string; readonly service: string; readonly release: string }): boolean =>
        isOurs(each) && each.release === release;
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
