import type { OpenAPIHono } from '@hono/zod-openapi';
import { createKeyring, type Keyring } from '../../access/keyring.ts';
import { roles, type Role } from '../../access/roles.ts';
import { systemClock } from '../../effects/clock.ts';
import { systemRandom } from '../../effects/random.ts';
import { sluiceError, type SluiceError } from '../../errors/sluice-error.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Store } from '../../store/store.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { createAuditLog, type AuditLog } from '../../audit/audit-log.ts';
import { createKnownSecrets } from '../../secrets/known-secrets.ts';
import { createVault } from '../../secrets/file-vault.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import type { EventLog } from '../../telemetry/events.ts';
import type { ServiceState } from '../../rollout/service-state.ts';
import { createFlagRollouts } from '../../flag-rollouts/flag-rollouts.ts';
import { createFlagRolloutDesk } from '../../control-plane/flag-rollout-desk.ts';
import { createFlagParts, type FlagParts } from '../../control-plane/flag-parts.ts';
import type { Outbox } from '../../notifications/outbox.ts';
import { createApp } from '../app.ts';
import type { ApiDependencies, PlanOrder } from '../ports.ts';
import type { DatabaseOperation } from '../schemas/database.ts';
import type { DriftReport } from '../schemas/drift.ts';
import type { GatewayView } from '../schemas/gateway.ts';
import type { LockView } from '../schemas/lock.ts';
import type { ListedRelease, ReleaseDifference } from '../schemas/release.ts';
import type { Run } from '../schemas/run.ts';
import type { ServiceView } from '../schemas/service.ts';
import { notificationsOver } from './notifications-over.ts';

export const knownPlan: Plan = {
  id: 'plan-0123456789abcdef',
  environment: 'production',
  mode: 'apply',
  stackDigest: 'sha256:0',
  stateDigest: 'sha256:1',
  createdAt: '2026-11-22T12:00:00.000Z',
  changes: [],
  problems: [],
};

export const knownRun: Run = {
  id: 'run-0123456789abcdef',
  plan: knownPlan.id,
  environment: 'production',
  mode: 'apply',
  status: 'succeeded',
  startedAt: '2026-11-22T12:00:00.000Z',
  changes: [],
};

export const knownHolder: NonNullable<LockView['holder']> = {
  host: 'elsewhere',
  pid: 12,
  since: '2026-11-22T12:00:00.000Z',
  expiresAt: '2026-11-22T12:00:30.000Z',
  work: 'apply',
  run: knownRun.id,
  by: 'ann',
  mayBeAlive: true,
};

export const knownDrift: DriftReport = {
  environment: 'production',
  checkedAt: '2026-11-22T12:00:00.000Z',
  checked: 3,
  items: [
    {
      address: 'production/database/db',
      kind: 'database',
      name: 'db',
      status: 'changed',
      fields: [{ field: 'settings.max_connections', applied: '200', observed: '10', accepted: false }],
    },
  ],
};

const knownService: ServiceView = {
  address: 'production/service/echo',
  environment: 'production',
  name: 'echo',
  phase: 'ready',
  version: '1.0.0',
  replicas: { desired: 1, ready: 1 },
  instances: [],
  weights: [],
  urls: [],
};

export const knownRelease: ListedRelease = {
  id: 'r-0123456789ab',
  digest: 'sha256:0123456789ab',
  service: 'production/service/echo',
  version: '1.1.0',
  state: 'stable',
  createdAt: '2026-11-22T12:00:00.000Z',
};

export const knownDifference: ReleaseDifference = {
  from: 'r-000000000000',
  to: knownRelease.id,
  words: ['prompt prompts/system.md: 1 of 3 words'],
  risk: { level: 'medium', reasons: [{ level: 'medium', reason: 'the prompts change: 1 of 3 words' }] },
  change: {
    version: { from: '1.0.0', to: '1.1.0', bump: 'minor' },
    files: [
      { part: 'prompts', path: 'prompts/system.md', change: 'changed', lines: { added: 1, removed: 1 }, diff: '-Be kind.\n+Be very kind.' },
      {
        part: 'source',
        path: 'source/a.ts',
        change: 'changed',
        lines: { added: 1, removed: 0 },
        diff: '@@ -0,0 +1,1 @@\n+\u001b[31mred',
        omitted: 7,
      },
    ],
    prompts: [
      {
        path: 'prompts/system.md',
        words: [
          { change: 'same', text: 'Be ' },
          { change: 'added', text: 'very ' },
          { change: 'same', text: 'kind.\n' },
        ],
        changed: 1,
        of: 3,
      },
    ],
    environment: [],
    apiComparison: 'none',
    api: [],
    migrations: [],
  },
};

const knownBackup = {
  id: 'backup-0123456789abcdef',
  startedAt: '2026-11-22T12:00:00.000Z',
  stoppedAt: '2026-11-22T12:00:01.000Z',
  bytes: 1,
};

export const knownOperation: DatabaseOperation = {
  id: 'operation-0123456789abcdef',
  address: 'production/database/echo',
  kind: 'backup',
  status: 'running',
  startedAt: '2026-11-22T12:00:00.000Z',
  by: 'admin',
};

export const knownGateway: GatewayView = {
  pid: 99,
  startedAt: '2026-11-22T12:00:00.000Z',
  engine: 'embedded',
  publicUrls: { default: 'http://127.0.0.1:7080' },
  inFlight: 3,
  warnings: [],
  windowSeconds: 10,
  releases: [
    {
      environment: 'default',
      service: 'hello',
      release: 'r-0123456789ab',
      inFlight: 3,
      requests: 12_000,
      errors: 7,
      ejections: 1,
      requestsPerSecond: 120.4,
      errorsPerSecond: 0.5,
      retriesPerSecond: 0.1,
      cacheHitsPerSecond: 12,
      refusedPerSecond: 0,
      bytesInPerSecond: 2_048,
      bytesOutPerSecond: 1_048_576,
      p50: 4.2,
      p95: 18.44,
      p99: 1_250,
    },
  ],
  queues: [{ environment: 'default', service: 'hello', running: 3, queued: 2 }],
};

export interface ApiFixture {
  readonly app: OpenAPIHono;
  readonly keyring: Keyring;
  readonly keys: Readonly<Record<Role, string>>;
  readonly store: Store;
  readonly events: EventLog;
  readonly flagParts: FlagParts;
  readonly outbox: Outbox;
  readonly audit: AuditLog;
  readonly reported: SluiceError[];
  readonly calls: string[];
  readonly orders: PlanOrder[];
  readonly close: AbortController;
  /** A request with the key of a role, or with none. */
  request(method: string, path: string, options?: { as?: Role; body?: unknown; headers?: Record<string, string> }): Promise<Response>;
}

const known = <Value>(id: string, value: Value & { id: string }, missing: SluiceError): Promise<Value> =>
  id === value.id ? Promise.resolve(value) : Promise.reject(missing);
const service = (environment: string, name: string): Promise<ServiceView> =>
  environment === knownService.environment && name === knownService.name
    ? Promise.resolve(knownService)
    : Promise.reject(sluiceError('unknown_service', { address: `${environment}/service/${name}` }));

/** The API over an in-memory store, with stand-ins for what lies behind its ports. */
export async function createApiFixture(replace: Partial<ApiDependencies> = {}): Promise<ApiFixture> {
  const store = createMemoryStore();
  const events = createEventLog({ store, clock: systemClock });
  const vault = createVault(new Uint8Array(32), systemRandom);
  const audit = createAuditLog({ store, vault, clock: systemClock, keeper: { read: async () => undefined, write: async () => undefined } });
  const keyring = createKeyring({ store, clock: systemClock, random: systemRandom });
  const keys = { admin: '', operator: '', viewer: '', evaluator: '' };
  const flagParts = createFlagParts({ store, vault, audit, events, clock: systemClock, random: systemRandom });
  for (const role of roles) keys[role] = (await keyring.create('admin', { name: role, role })).key;
  const { outbox, desk: notifications } = notificationsOver({ store, audit, events });
  const reported: SluiceError[] = [];
  const calls: string[] = [];
  const orders: PlanOrder[] = [];
  const close = new AbortController();

  const app = createApp({
    keyring,
    store,
    events,
    audit,
    secrets: createKnownSecrets(),
    clock: systemClock,
    version: '1.2.3',
    allowedHosts: ['localhost'],
    closing: close.signal,
    report: (error) => reported.push(error),
    plans: {
      create: (order) => {
        orders.push(order);
        return Promise.resolve(knownPlan);
      },
      get: (id) => known(id, knownPlan, sluiceError('unknown_plan', { id })),
    },
    runs: {
      start: (id, { parallelism, reason }) => {
        if (parallelism !== undefined || reason !== undefined) calls.push(`start ${parallelism} ${reason}`);
        return known(id, knownPlan, sluiceError('unknown_plan', { id })).then(() => knownRun);
      },
      get: (id) => known(id, knownRun, sluiceError('unknown_run', { id })),
      list: () => Promise.resolve([knownRun]),
      cancel: (id) => known(id, knownRun, sluiceError('unknown_run', { id })),
      eventsBefore: (id) => Promise.resolve(id === knownRun.id ? 0 : undefined),
    },
    backups: {
      create: () => {
        calls.push('backup');
        return Promise.resolve({ file: '/home/backups/state-2.db', bytes: 8_192, schema: 2, documents: 3, entries: 4 });
      },
    },
    services: {
      list: () => Promise.resolve([knownService]),
      get: service,
      scale: (environment, name, replicas) => {
        calls.push(`scale ${name} ${replicas}`);
        return service(environment, name);
      },
      restart: (environment, name) => {
        calls.push(`restart ${name}`);
        return service(environment, name);
      },
      operate: (environment, name, { type }, { by, why, key }) => {
        calls.push(`${type} ${name} by ${by}${why === undefined ? '' : `: ${why}`}${key === undefined ? '' : ` under ${key}`}`);
        return service(environment, name);
      },
      rollouts: async (environment, name) => (await service(environment, name)) && [],
      readLogs: (_environment, name, { tail }) => Promise.resolve([{ instance: `${name}-1`, line: `the last ${tail} lines` }]),
      async *followLogs(_environment, name) {
        yield { instance: `${name}-1`, line: 'one' };
        yield { instance: `${name}-1`, line: 'two: {"a":1}' };
      },
    },
    releases: {
      list: () => Promise.resolve([knownRelease]),
      get: (_environment, name, id) =>
        id === knownRelease.id || name === 'echo'
          ? Promise.resolve({ ...knownRelease, content: { command: ['node'], environment: {}, digests: {} }, words: ['nothing'] })
          : Promise.reject(sluiceError('unknown_release', { service: name, release: id })),
      compare: (_environment, _name, { from = 'r-000000000000', to }) => Promise.resolve({ ...knownDifference, from, to }),
    },
    records: {
      forget: (address, { name }) => {
        calls.push(`forget ${address} by ${name}`);
        return Promise.resolve();
      },
    },
    databases: {
      backups: () => Promise.resolve({ retentionDays: 7, items: [knownBackup], restorable: [], replaced: [] }),
      startBackup: (_environment, name) => {
        calls.push(`back up ${name}`);
        return Promise.resolve(knownOperation);
      },
      planRestore: (_environment, _name, to) => Promise.resolve({ to, backup: knownBackup, segments: 1 }),
      startRestore: (_environment, name, to) => {
        calls.push(`restore ${name} to ${to}`);
        return Promise.resolve({ ...knownOperation, kind: 'restore' as const, to });
      },
      operation: (_environment, _name, id) => known(id, knownOperation, sluiceError('unknown_database_operation', { id })),
      conditions: () => [],
    },
    flags: flagParts.desk,
    notifications,
    flagRollouts: createFlagRolloutDesk({
      rollouts: createFlagRollouts({
        store,
        documents: flagParts.documents,
        sets: flagParts.sets,
        services: {
          countFlag: async () => undefined,
          isPublished: async () => true,
          stateOf: async () => ({ stable: 1, settings: { rollout: {} } }) as unknown as ServiceState,
        },
        traffic: { evidence: async () => undefined, latencies: async () => undefined },
        audit,
        events,
        clock: systemClock,
        random: systemRandom,
      }),
      clock: systemClock,
    }),
    evaluation: flagParts.evaluation,
    gatewayDesk: {
      get: () => Promise.resolve(knownGateway),
      upgrade: () => Promise.resolve({ pid: 100, replaced: knownGateway.pid, version: '1.2.3' }),
      metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'sluice_gateway_up 1\n' }),
    },
    locks: {
      get: (environment) => Promise.resolve({ environment, holder: knownHolder }),
      unlock: (environment, since) =>
        since === knownHolder.since
          ? Promise.resolve({ environment, holder: knownHolder })
          : Promise.reject(sluiceError('lock_changed', { environment })),
    },
    drift: {
      find: (environment) => Promise.resolve({ ...knownDrift, environment }),
      repair: () => Promise.resolve(knownRun),
      accept: (environment) => Promise.resolve({ ...knownDrift, environment }),
    },
    untilTakenUp: () => Promise.resolve(),
    status: async () => ({
      version: '1.2.3',
      home: '/home',
      root: '/root',
      pid: 1,
      startedAt: '2026-11-22T12:00:00.000Z',
      phase: 'ready',
      lastEvent: await events.last(),
      gateway: { running: true },
      environments: [],
    }),
    shutdown: (workloads) => calls.push(`shutdown ${workloads}`),
    ...replace,
  });

  return {
    app,
    keyring,
    keys,
    store,
    events,
    flagParts,
    outbox,
    audit,
    reported,
    calls,
    orders,
    close,
    request: async (method, path, { as, body, headers } = {}) =>
      app.request(`http://localhost${path}`, {
        method,
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: {
          ...(as !== undefined && { authorization: `Bearer ${keys[as]}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
      }),
  };
}
