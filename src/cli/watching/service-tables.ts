import type { ServiceView } from '../../api/schemas/service.ts';
import type { Column } from '../terminal/table.ts';
import { age } from '../terminal/duration.ts';
import { paintState } from './paint-state.ts';

export const serviceColumns: readonly Column[] = [
  { title: 'service' },
  { title: 'environment', flexible: true },
  { title: 'phase', paint: paintState },
  { title: 'ready', align: 'right' },
  { title: 'release' },
  { title: 'urls', flexible: true, below: true },
  { title: 'message', flexible: true, below: true },
];

export function serviceRow(service: ServiceView): readonly string[] {
  const stable = releaseLabel(service.version, service.release);
  return [
    service.name,
    service.environment,
    service.phase,
    `${service.replicas.ready}/${service.replicas.desired}`,
    service.candidate === undefined ? stable : `${stable} -> ${releaseLabel(service.candidateVersion, service.candidate)}`.trimStart(),
    service.urls.join(' '),
    service.message ?? '',
  ];
}

function releaseLabel(version: string | undefined, release: string | undefined): string {
  return [version, release].filter((word) => word !== undefined && word !== '').join(' ');
}

export const instanceColumns: readonly Column[] = [
  { title: 'instance', flexible: true },
  { title: 'state', paint: paintState },
  { title: 'release' },
  { title: 'address' },
  { title: 'pid', align: 'right' },
  { title: 'restarts', align: 'right' },
  { title: 'age', align: 'right' },
  { title: 'message', flexible: true, below: true },
];

export function instanceRow(instance: ServiceView['instances'][number], now: number): readonly string[] {
  return [
    instance.id,
    instance.state,
    instance.release,
    instance.host === undefined ? '' : `${instance.host}:${instance.port ?? ''}`,
    instance.pid === undefined ? '' : String(instance.pid),
    String(instance.restarts),
    instance.startedAt === undefined ? '' : age(instance.startedAt, now),
    instance.message ?? '',
  ];
}
