import type { ProcessIdentity } from '../../effects/processes.ts';
import type { Address } from '../../stack/stack.ts';
import type { InstanceExit, RunningInstance } from '../workloads.ts';

/**
 * What is remembered of a container on disk, so that a later control plane knows of it also while the engine is away. Holds neither
 * environment nor secrets. Written before the container exists (without `container`) and again afterwards.
 */
export interface ContainerRecord {
  readonly id: string;
  readonly service: Address;
  readonly release: string;
  readonly host: string;
  readonly port: number;
  readonly startedAt: string;
  readonly logFile: string;
  /** The engine's id of it. */
  readonly container?: string;
  /** Its first process as this machine sees it, by which it is known to run while the engine is away. */
  readonly process?: ProcessIdentity;
  readonly exit?: InstanceExit;
}

const prefix = 'dev.sluice.';

/** The same as labels of the container: for whom it looks at it, and for a home whose record is lost. */
export function labelsOf(home: string, record: ContainerRecord): Readonly<Record<string, string>> {
  const { id, service, release, host, port, startedAt, logFile } = record;
  const own = { home, instance: id, service, release, host, port: String(port), 'started-at': startedAt, 'log-file': logFile };
  return Object.fromEntries(Object.entries(own).map(([name, value]) => [prefix + name, value]));
}

export const homeFilter = (home: string): string => `${prefix}home=${home}`;

/** Undefined for what no control plane has written. */
export function recordOfLabels(labels: Readonly<Record<string, string>>, container: string): ContainerRecord | undefined {
  const [id, service, release, host, port, startedAt, logFile] = [
    'instance',
    'service',
    'release',
    'host',
    'port',
    'started-at',
    'log-file',
  ].map((name) => labels[prefix + name]);
  if (!id || !service || !release || !host || !port || !startedAt || !logFile) return undefined;
  return { id, service: service as Address, release, host, port: Number(port), startedAt, logFile, container };
}

export function instanceOf(labels: Readonly<Record<string, string>>): string | undefined {
  return labels[`${prefix}instance`];
}

export function runningOf(record: ContainerRecord): RunningInstance {
  const { id, service, release, host, port, startedAt, logFile, process } = record;
  return { id, service, release, host, port, startedAt, logFile, ...(process ?? { pid: 0, startTime: 'unknown' }) };
}
