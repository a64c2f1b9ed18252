import type { Client } from '../../api/client.ts';
import type { GatewayView } from '../../api/schemas/gateway.ts';
import { byteSize } from '../terminal/bytes.ts';
import { age } from '../terminal/duration.ts';
import { type Column, renderFields, renderTable } from '../terminal/table.ts';
import type { Channel } from '../terminal/terminal.ts';

type ReleaseTraffic = GatewayView['releases'][number];

/** The gateway with the traffic of one environment, or of all. */
export async function readTraffic(client: Client, environment: string | undefined): Promise<GatewayView> {
  const view = await client.getGateway();
  if (environment === undefined) return view;
  const isMeant = (each: { environment: string }): boolean => each.environment === environment;
  return { ...view, releases: view.releases.filter(isMeant), queues: view.queues.filter(isMeant) };
}

const columns: readonly Column[] = [
  { title: 'service' },
  { title: 'environment', flexible: true },
  { title: 'release' },
  { title: 'req/s', align: 'right' },
  { title: 'err/s', align: 'right', paint: (text, colors) => (text === '0' ? text : colors.red(text)) },
  { title: 'p50', align: 'right' },
  { title: 'p95', align: 'right' },
  { title: 'p99', align: 'right' },
  { title: 'in flight', align: 'right' },
  { title: 'queue', align: 'right' },
  { title: 'retry/s', align: 'right' },
  { title: 'hit/s', align: 'right' },
  { title: 'refused/s', align: 'right' },
  { title: 'ejected', align: 'right' },
  { title: 'in/s', align: 'right' },
  { title: 'out/s', align: 'right' },
];

/** Busiest first. The queue is that of the service, whichever release its requests will go to. */
export function renderTraffic({ releases, queues, windowSeconds }: GatewayView, channel: Pick<Channel, 'colors' | 'width'>): string {
  if (releases.length === 0) return `${channel.colors.dim('The gateway has no service yet: sluice apply')}\n`;
  const queuedOf = ({ environment, service }: ReleaseTraffic): string =>
    String(queues.find((queue) => queue.environment === environment && queue.service === service)?.queued ?? '');
  const rows = releases
    .toSorted((left, right) => right.requestsPerSecond - left.requestsPerSecond || left.service.localeCompare(right.service))
    .map((each) => [
      each.service,
      each.environment,
      each.release,
      rate(each.requestsPerSecond),
      rate(each.errorsPerSecond),
      duration(each.p50),
      duration(each.p95),
      duration(each.p99),
      String(each.inFlight),
      queuedOf(each),
      rate(each.retriesPerSecond),
      rate(each.cacheHitsPerSecond),
      rate(each.refusedPerSecond),
      String(each.ejections),
      byteSize(Math.round(each.bytesInPerSecond)),
      byteSize(Math.round(each.bytesOutPerSecond)),
    ]);
  const table = renderTable(columns, rows, { width: channel.width(), colors: channel.colors });
  return `${table}${channel.colors.dim(`rates and latencies of the last ${Math.round(windowSeconds)} s; ejected since the gateway began`)}\n`;
}

export function renderGateway(view: GatewayView, channel: Pick<Channel, 'colors' | 'width'>, now: number): string {
  const head = renderFields(
    [
      ['gateway', `pid ${view.pid}, ${view.engine}, up ${age(view.startedAt, now)}, ${view.inFlight} in flight`],
      ...Object.entries(view.publicUrls).map(([name, url]): [string, string] => [`environment ${name}`, url]),
      ...view.warnings.map((warning): [string, string] => ['warning', warning]),
    ],
    channel.colors,
    { lineWidth: channel.width() },
  );
  return `${head}\n${renderTraffic(view, channel)}`;
}

/** `0`, `0.25`, `12.3`, `4,210`. */
function rate(perSecond: number): string {
  if (perSecond === 0) return '0';
  if (perSecond < 10) return perSecond.toFixed(2);
  return perSecond < 100 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en-US');
}

/** `0.8 ms`, `18 ms`, `1.25 s`; a dash when nothing was answered. */
function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '-';
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(2)} s`;
}
