import { createAdaptorServer } from '@hono/node-server';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeKeyFile } from '../../access/key-file.ts';
import type { ApiDependencies } from '../../api/ports.ts';
import type { Run } from '../../api/schemas/run.ts';
import type { ServiceView } from '../../api/schemas/service.ts';
import { createApiFixture, type ApiFixture } from '../../api/testdata/api-fixture.ts';
import { homePaths, writeRecord } from '../../control-plane/home.ts';
import { identify } from '../../effects/processes.ts';
import type { Plan } from '../../plan/plan.ts';
import { runCli } from '../run.ts';
import { capturedTerminal, type CapturedTerminal } from './captured-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface ControlPlaneFixture extends ApiFixture {
  readonly directory: string;
  /** Runs one command line in the folder of the stack. */
  sluice(...line: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** The same for one that goes on: its terminal can be watched. */
  start(...line: readonly string[]): { readonly terminal: CapturedTerminal; readonly ended: Promise<number> };
}

export const service: ServiceView = {
  address: 'default/service/hello',
  environment: 'default',
  name: 'hello',
  phase: 'ready',
  version: '1.0.0',
  release: 'r-0123456789ab',
  replicas: { desired: 2, ready: 2 },
  instances: [{ id: 'hello-1', release: 'r-0123456789ab', state: 'ready', host: '127.0.0.1', port: 4000, pid: 77, restarts: 0 }],
  weights: [{ release: 'r-0123456789ab', percent: 100, ready: 2 }],
  urls: ['http://hello.localhost:7080/'],
};

/**
 * The real API on a socket, found by the real discovery, over stand-ins for what lies behind its ports. A process stands for that of the
 * control plane: it ends at a shutdown.
 */
export async function controlPlaneFixture(
  replace: (fixture: () => ApiFixture) => Partial<ApiDependencies> = () => ({}),
): Promise<ControlPlaneFixture> {
  const directory = await temporaryFolder();
  const paths = homePaths(join(directory, '.sluice'));
  await mkdir(paths.home, { mode: 0o700 });
  const stand = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  await once(stand, 'spawn');
  const pid = stand.pid as number;

  let fixture: ApiFixture | undefined;
  const made = (): ApiFixture => fixture as ApiFixture;
  fixture = await createApiFixture({
    allowedHosts: ['127.0.0.1'],
    services: servicesOf([service], made),
    status: async () => ({ ...status, home: paths.home, root: directory, pid, lastEvent: await made().events.last() }),
    shutdown: (workloads) => {
      made().calls.push(`shutdown ${workloads}`);
      stand.kill('SIGKILL');
    },
    ...replace(made),
  });
  const server = createAdaptorServer({ fetch: fixture.app.fetch, overrideGlobalObjects: false }) as Server;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    stand.kill('SIGKILL');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await writeKeyFile(paths.adminKey, fixture.keys.admin);
  const startTime = identify(pid)?.startTime ?? '';
  await writeRecord(paths.home, { pid, startTime, url, root: directory, startedAt: status.startedAt });
  const start: ControlPlaneFixture['start'] = (...line) => {
    const terminal = capturedTerminal(directory);
    return { terminal, ended: runCli(line, terminal) };
  };
  return {
    ...fixture,
    directory,
    start,
    sluice: async (...line) => {
      const { terminal, ended } = start(...line);
      const code = await ended;
      return { code, stdout: terminal.stdout(), stderr: terminal.stderr() };
    },
  };
}

const status = {
  version: '1.2.3',
  startedAt: '2026-11-22T12:00:00.000Z',
  phase: 'ready' as const,
  gateway: { running: true, pid: 99 },
  environments: [{ name: 'default', url: 'http://127.0.0.1:7080', resources: 2, services: 1 }],
};

const records: Awaited<ReturnType<ApiDependencies['services']['rollouts']>> = [
  {
    generation: 2,
    release: 'r-222222222222',
    version: '1.1.0',
    from: 'r-111111111111',
    strategy: 'canary',
    startedAt: '2026-11-22T12:00:00.000Z',
    endedAt: '2026-11-22T12:00:42.000Z',
    by: 'ada',
    outcome: 'failed',
    reason: 'errors got worse than is tolerated',
  },
];

/** Keeps the services; what is asked of them is noted as a call. */
export function servicesOf(services: readonly ServiceView[], fixture: () => ApiFixture): ApiDependencies['services'] {
  const find = (environment: string, name: string): Promise<ServiceView> =>
    Promise.resolve(services.find((each) => each.environment === environment && each.name === name) ?? service);
  return {
    list: (environment) => Promise.resolve(services.filter((each) => each.environment === environment)),
    get: find,
    scale: (environment, name, replicas) => {
      fixture().calls.push(`scale ${environment}/${name} ${replicas}`);
      return find(environment, name);
    },
    restart: (environment, name) => {
      fixture().calls.push(`restart ${environment}/${name}`);
      return find(environment, name);
    },
    operate: (environment, name, action, { by, why }) => {
      fixture().calls.push(`${JSON.stringify(action)} ${environment}/${name} by ${by}${why === undefined ? '' : `: ${why}`}`);
      return find(environment, name);
    },
    rollouts: () => Promise.resolve(records),
    readLogs: (_environment, name, { tail }) =>
      Promise.resolve([{ instance: `${name}-1`, line: `\u001b[31mred\u001b[0m, the last ${tail}` }]),
    async *followLogs(_environment, name) {
      yield { instance: `${name}-1`, line: 'one' };
      yield { instance: `${name}-1`, line: 'two' };
    },
  };
}

/** Puts a resource of the environment `default` into the state. */
export async function addResource(fixture: ApiFixture, kind: string, name: string, environment = 'default'): Promise<void> {
  const address = `${environment}/${kind}/${name}`;
  const time = '2026-11-22T12:00:00.000Z';
  const value = {
    address,
    environment,
    kind,
    name,
    provider: 'local',
    status: 'ready',
    id: `id-${name}`,
    declared: { name, size: 'large' },
    fingerprint: {},
    resolved: {},
    outputs: { host: { value: '127.0.0.1' }, url: { sealed: 'c2VhbGVk' } },
    dependencies: [],
    root: '/',
    operation: 'operation-1',
    createdAt: time,
    updatedAt: time,
  };
  await fixture.store.transact([{ operation: 'put', collection: 'resources', key: address, value }]);
}

export function planWith(...actions: readonly Plan['changes'][number]['action'][]): Plan {
  return {
    id: 'plan-0123456789abcdef',
    environment: 'default',
    mode: 'apply',
    stackDigest: 'sha256:0',
    stateDigest: 'sha256:1',
    createdAt: '2026-11-22T12:00:00.000Z',
    problems: [],
    changes: actions.map((action, index) => ({
      address: `default/database/db-${index}`,
      kind: 'database',
      name: `db-${index}`,
      action,
      reason: '',
      fields: [],
      risk: 'low',
      downtime: false,
      after: [],
    })),
  };
}

/** Plans are always `plan`; a run of it publishes its events and ends as `outcome` says. */
export function applying(plan: Plan, outcome: Partial<Run>, fixture: () => ApiFixture): Pick<ApiDependencies, 'plans' | 'runs'> {
  const run: Run = {
    id: 'run-0123456789abcdef',
    plan: plan.id,
    environment: plan.environment,
    mode: plan.mode,
    status: 'succeeded',
    startedAt: '2026-11-22T12:00:00.000Z',
    finishedAt: '2026-11-22T12:00:03.000Z',
    changes: plan.changes.flatMap(({ address, action }) => (action === 'none' ? [] : [{ address, action, status: 'done' as const }])),
    ...outcome,
  };
  const tell = (type: 'change.started' | 'change.finished' | 'run.finished', address?: string): Promise<number> =>
    fixture().events.publish({
      type,
      level: 'info',
      message: type,
      run: run.id,
      environment: 'default',
      ...(address !== undefined && { address }),
    });
  return {
    plans: {
      create: (order) => {
        fixture().orders.push(order);
        return Promise.resolve({ ...plan, mode: order.mode });
      },
      get: () => Promise.resolve(plan),
    },
    runs: {
      start: async (id) => {
        fixture().calls.push(`apply ${id}`);
        for (const { address } of run.changes) {
          await tell('change.started', address);
          await tell('change.finished', address);
        }
        await tell('run.finished');
        return { ...run, status: 'running' };
      },
      get: () => Promise.resolve(run),
      list: () => Promise.resolve([run]),
      cancel: (id) => {
        fixture().calls.push(`cancel ${id}`);
        return Promise.resolve(run);
      },
      eventsBefore: () => Promise.resolve(0),
    },
  };
}
