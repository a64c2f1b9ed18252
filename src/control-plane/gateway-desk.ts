import type { GatewayDesk } from '../api/ports.ts';
import type { GatewayView } from '../api/schemas/gateway.ts';
import type { Clock } from '../effects/clock.ts';
import type { GatewayControl } from '../gateway/control/gateway-control.ts';
import { expose, type MetricFamily } from '../gateway/measuring/exposition.ts';
import { gatewayFamilies } from '../gateway/measuring/families.ts';
import type { GatewayCounts } from '../gateway/measuring/report.ts';
import { gatewayVersion } from '../gateway/version.ts';
import type { Store } from '../store/store.ts';
import { productVersion } from './product-version.ts';

/** What the gateway has counted, as people and Prometheus want it, with a few words about the control plane itself. */
export function createGatewayDesk(dependencies: {
  readonly gateway: Pick<GatewayControl, 'status' | 'counts' | 'outage' | 'upgrade'>;
  readonly store: Pick<Store, 'list'>;
  readonly clock: Clock;
}): GatewayDesk {
  const { gateway, store, clock } = dependencies;
  const startedAt = clock.now();

  const ownFamilies = async (isGatewayUp: boolean): Promise<MetricFamily[]> => {
    const resources = new Map<string, { environment: string; kind: string; count: number }>();
    for (const { key } of await store.list('resources')) {
      const [environment = '', kind = ''] = key.split('/');
      const known = resources.get(`${environment}/${kind}`) ?? { environment, kind, count: 0 };
      resources.set(`${environment}/${kind}`, { ...known, count: known.count + 1 });
    }
    return [
      gauge('sluice_control_plane_info', 'The version that runs.', [[{ version: productVersion }, 1]]),
      gauge('sluice_control_plane_start_time_seconds', 'When it began, as Unix time.', [[{}, startedAt / 1_000]]),
      gauge(
        'sluice_control_plane_resources',
        'Resources that have been applied.',
        Array.from(resources.values(), ({ count, ...labels }) => [labels, count]),
      ),
      gauge('sluice_gateway_up', 'Whether the gateway answers the control plane.', [[{}, isGatewayUp ? 1 : 0]]),
    ];
  };

  return {
    get: async () => {
      const [status, counts] = await Promise.all([gateway.status(), gateway.counts()]);
      const { pid, startedAt: since, engine, engineReason, publicUrls, inFlight, warnings } = status;
      return {
        pid,
        startedAt: since,
        engine,
        ...(engineReason !== undefined && { engineReason }),
        publicUrls,
        inFlight,
        warnings,
        ...trafficOf(counts),
      };
    },
    upgrade: async () => {
      const { pid: replaced } = await gateway.status();
      await gateway.upgrade();
      return { pid: (await gateway.status()).pid, replaced, version: gatewayVersion };
    },
    metrics: async (accept) => {
      const counts = gateway.outage() === undefined ? await gateway.counts().catch(() => undefined) : undefined;
      const families = await ownFamilies(counts !== undefined);
      return expose(counts === undefined ? families : [...families, ...gatewayFamilies(counts)], accept);
    },
  };
}

function gauge(name: string, help: string, values: readonly (readonly [Readonly<Record<string, string>>, number])[]): MetricFamily {
  return { name, type: 'gauge', help, samples: values.map(([labels, value]) => ({ labels, value })) };
}

const still = {
  requestsPerSecond: 0,
  errorsPerSecond: 0,
  retriesPerSecond: 0,
  cacheHitsPerSecond: 0,
  refusedPerSecond: 0,
  bytesInPerSecond: 0,
  bytesOutPerSecond: 0,
};

function trafficOf({ releases, queues, last10s }: GatewayCounts): Pick<GatewayView, 'windowSeconds' | 'releases' | 'queues'> {
  return {
    windowSeconds: last10s.seconds,
    releases: releases.map(({ environment, service, release, inFlight, requests, errors, ejections }) => {
      const recent = last10s.releases.find(
        (rates) => rates.environment === environment && rates.service === service && rates.release === release,
      );
      return { ...still, ...recent, environment, service, release, inFlight, requests, errors, ejections };
    }),
    queues,
  };
}
