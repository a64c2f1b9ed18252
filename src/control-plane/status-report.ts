import type { Status } from '../api/schemas/status.ts';
import type { Parts } from './compose.ts';
import { productVersion } from './product-version.ts';

/** What GET /v1/status tells. */
export async function statusReport(
  { gateway, store, events }: Parts,
  known: Pick<Status, 'home' | 'root' | 'startedAt' | 'phase'>,
): Promise<Status> {
  const outage = gateway.outage();
  const report = outage === undefined ? await gateway.status().catch(() => undefined) : undefined;
  const counts = new Map<string, { resources: number; services: number }>();
  for (const { key } of await store.list('resources')) {
    const [environment = '', kind] = key.split('/');
    const count = counts.get(environment) ?? { resources: 0, services: 0 };
    counts.set(environment, { resources: count.resources + 1, services: count.services + (kind === 'service' ? 1 : 0) });
  }
  return {
    version: productVersion,
    ...known,
    pid: process.pid,
    lastEvent: await events.last(),
    gateway:
      report === undefined
        ? { running: false, ...(outage !== undefined && { problem: outage }) }
        : { running: true, pid: report.pid, startedAt: report.startedAt },
    environments: Array.from(counts, ([name, count]) => {
      const url = report?.publicUrls[name];
      return { name, ...(url !== undefined && { url }), ...count };
    }),
  };
}
