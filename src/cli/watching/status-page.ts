import type { Client } from '../../api/client.ts';
import type { ResourceView } from '../../api/schemas/resource.ts';
import type { ServiceView } from '../../api/schemas/service.ts';
import type { Status } from '../../api/schemas/status.ts';
import { environmentsOf } from '../changing/planning.ts';
import { age } from '../terminal/duration.ts';
import { renderFields, renderTable } from '../terminal/table.ts';
import type { Channel } from '../terminal/terminal.ts';
import { conditionCell, conditionColumn } from './conditions.ts';
import { paintState } from './paint-state.ts';
import { serviceColumns, serviceRow } from './service-tables.ts';

export interface StatusReport {
  readonly status: Status;
  readonly resources: readonly ResourceView[];
  readonly services: readonly ServiceView[];
}

export async function readStatus(client: Client, environment: string | undefined): Promise<StatusReport> {
  const status = await client.status();
  const names = await environmentsOf(client, environment);
  const [resources, services] = await Promise.all([
    Promise.all(names.map((name) => client.listResources(name))),
    Promise.all(names.map((name) => client.listServices(name))),
  ]);
  return { status, resources: resources.flat(), services: services.flat() };
}

export function renderStatus(
  { status, resources, services }: StatusReport,
  channel: Pick<Channel, 'colors' | 'width'>,
  now: number,
): string {
  const { colors } = channel;
  const { running, pid, problem } = status.gateway;
  const gateway = running ? `running (pid ${pid ?? '?'})` : `not running${problem === undefined ? '' : `: ${problem}`}`;
  const phase = status.phase === 'ready' ? '' : `, ${status.phase}`;
  const head = renderFields(
    [
      ['control plane', `${status.version}, pid ${status.pid}, up ${age(status.startedAt, now)}${phase}`],
      ['gateway', gateway],
      ['stack folder', status.root],
      ...status.environments.map(({ name, url }): [string, string] => [`environment ${name}`, url ?? 'exposes nothing']),
    ],
    colors,
    { lineWidth: channel.width() },
  );
  const look = { width: channel.width(), colors };
  const others = resources.filter(({ kind }) => kind !== 'service');
  const remarkable = others.some(({ conditions = [] }) => conditions.length > 0);
  const table = renderTable(
    [
      { title: 'resource', flexible: true },
      { title: 'environment', flexible: true },
      { title: 'status', paint: paintState },
      { title: 'provider' },
      { title: 'age', align: 'right' },
      ...(remarkable ? [conditionColumn] : []),
    ],
    others.map((resource) => [
      `${resource.kind}/${resource.name}`,
      resource.environment,
      resource.status,
      resource.provider,
      age(resource.createdAt, now),
      conditionCell(resource),
    ]),
    look,
  );
  const parts = [head];
  if (resources.length === 0 && services.length === 0) parts.push(`${colors.dim('Nothing has been applied yet: sluice apply')}\n`);
  if (services.length > 0) parts.push(renderTable(serviceColumns, services.map(serviceRow), look));
  if (others.length > 0) parts.push(table);
  return parts.join('\n');
}
