import type { ReleaseCounts } from './counts.ts';
import type { RateWindow, ReleaseRates } from './report.ts';
import { quantile } from './sketch.ts';

export function rateWindow({ seconds, releases }: { readonly seconds: number; readonly releases: readonly ReleaseCounts[] }): RateWindow {
  return { seconds, releases: seconds > 0 ? releases.map((release) => ratesOf(release, seconds)) : [] };
}

function ratesOf(release: ReleaseCounts, seconds: number): ReleaseRates {
  const { environment, service, endings, firstByte, total } = release;
  const of = (count: number): number => count / seconds;
  return {
    environment,
    service,
    release: release.release,
    requestsPerSecond: of(release.requests),
    errorsPerSecond: of(release.errors),
    retriesPerSecond: of(release.retries),
    ejections: release.ejections,
    cacheHitsPerSecond: of(endings.cached),
    refusedPerSecond: of(endings.refused),
    bytesInPerSecond: of(release.bytesIn),
    bytesOutPerSecond: of(release.bytesOut),
    ...(total.count > 0 && { p50: quantile(total, 0.5), p95: quantile(total, 0.95), p99: quantile(total, 0.99) }),
    ...(firstByte.count > 0 && {
      firstByteP50: quantile(firstByte, 0.5),
      firstByteP95: quantile(firstByte, 0.95),
      firstByteP99: quantile(firstByte, 0.99),
    }),
  };
}
