import { randomUUID } from 'node:crypto';
import { SluiceError } from '../errors/sluice-error.ts';
import { systemClock, type Clock } from '../effects/clock.ts';
import type { Plan } from '../plan/plan.ts';
import type { Kind } from '../stack/stack.ts';
import type { SluiceEvent } from '../telemetry/events.ts';
import { createTransport, type TransportOptions } from './client/transport.ts';
import type { Backup } from './schemas/backup.ts';
import type { DatabaseBackups, DatabaseRestorePlan, DatabaseOperation } from './schemas/database.ts';
import type { AuditPage, AuditVerificationView } from './schemas/audit.ts';
import type { DriftReport } from './schemas/drift.ts';
import type { EventPage } from './schemas/event.ts';
import type { FlagRolloutView, StartFlagRolloutRequest } from './schemas/flag-rollout.ts';
import type {
  EvaluateFlagRequest,
  FlagEvaluation,
  FlagHistory,
  FlagPreview,
  FlagView,
  PreviewFlagRequest,
  SetFlagRequest,
} from './schemas/flag.ts';
import type { GatewayUpgrade, GatewayView } from './schemas/gateway.ts';
import type { CreatedKey, CreateKeyRequest, KeyView } from './schemas/key.ts';
import type { LockView } from './schemas/lock.ts';
import type { DeliveryTrial, MessageView, NotificationReport } from './schemas/notification.ts';
import type { PlanRequest } from './schemas/plan.ts';
import type { ListedRelease, ReleaseDifference, ReleaseView } from './schemas/release.ts';
import type { ResourceView } from './schemas/resource.ts';
import type { PromoteRequest, RolloutRecordView } from './schemas/rollout.ts';
import type { Run } from './schemas/run.ts';
import type { LogLine, ServiceView } from './schemas/service.ts';
import type { ShutdownRequest, Status } from './schemas/status.ts';

export interface EventFilter {
  /** Only events with a greater sequence; 0 for all. Default: 0. */
  readonly after?: number;
  readonly environment?: string;
  readonly address?: string;
  readonly run?: string;
}

export interface LogQuery {
  readonly instance?: string;
  /** Lines of each instance to begin with; default 100. */
  readonly tail?: number;
}

/** The HTTP API as functions. Every one rejects with a SluiceError of the catalogue; `control_plane_unreachable` when nobody answers. */
export interface Client {
  readonly url: string;
  status(): Promise<Status>;
  openApi(): Promise<Record<string, unknown>>;
  /** Throws `gateway_unreachable` while there is none. */
  getGateway(): Promise<GatewayView>;
  /** Throws `gateway_start_failed`, and then the gateway serves on as it is. */
  upgradeGateway(): Promise<GatewayUpgrade>;
  /** The text for Prometheus. */
  metrics(): Promise<string>;
  createPlan(request: PlanRequest): Promise<Plan>;
  getPlan(id: string): Promise<Plan>;
  /** Resolves as soon as the run exists; follow it by `events({ run })`, or wait for it by `waitForRun`. */
  applyPlan(id: string, options?: RunOptions): Promise<Run>;
  listRuns(filter?: { environment?: string; limit?: number }): Promise<readonly Run[]>;
  getRun(id: string): Promise<Run>;
  cancelRun(id: string): Promise<Run>;
  /** Follows the run's events until it has finished, and gives its final state. */
  waitForRun(id: string, options?: { onEvent?: (event: SluiceEvent) => void; signal?: AbortSignal }): Promise<Run>;
  getLock(environment: string): Promise<LockView>;
  /** `since` of the holder that is meant. */
  unlock(environment: string, since: string): Promise<LockView>;
  getDrift(environment: string): Promise<DriftReport>;
  /** Like `applyPlan`, of a plan made from what is recorded. */
  repairDrift(environment: string, options?: RunOptions): Promise<Run>;
  acceptDrift(environment: string): Promise<DriftReport>;
  listAudit(page?: { after?: number; limit?: number }): Promise<AuditPage>;
  verifyAudit(): Promise<AuditVerificationView>;
  listResources(environment: string): Promise<readonly ResourceView[]>;
  getResource(environment: string, kind: Kind, name: string): Promise<ResourceView>;
  /** Forgets it without touching it. */
  forgetResource(environment: string, kind: Kind, name: string): Promise<ResourceView>;
  listServices(environment: string): Promise<readonly ServiceView[]>;
  getService(environment: string, name: string): Promise<ServiceView>;
  scaleService(environment: string, name: string, replicas: number): Promise<ServiceView>;
  restartService(environment: string, name: string): Promise<ServiceView>;
  /** To the next stage, with `full` to the whole, with `arm` by that arm of its experiment; with `from` however often it is sent only once. */
  promoteRollout(environment: string, name: string, request?: PromoteRequest): Promise<ServiceView>;
  pauseRollout(environment: string, name: string): Promise<ServiceView>;
  resumeRollout(environment: string, name: string): Promise<ServiceView>;
  abortRollout(environment: string, name: string): Promise<ServiceView>;
  retryRollout(environment: string, name: string): Promise<ServiceView>;
  /** To the release before, or to the named one. */
  rollBack(environment: string, name: string, request?: { readonly to?: string }): Promise<ServiceView>;
  /** The latest first. */
  listRollouts(environment: string, name: string): Promise<readonly RolloutRecordView[]>;
  /** Newest first. */
  listReleases(environment: string, name: string): Promise<readonly ListedRelease[]>;
  getRelease(environment: string, name: string, id: string): Promise<ReleaseView>;
  /** What is different in `to` from `from`; from the release before it when that is absent. */
  compareReleases(environment: string, name: string, ids: { readonly from?: string; readonly to: string }): Promise<ReleaseDifference>;
  readLogs(environment: string, name: string, query?: LogQuery): Promise<readonly LogLine[]>;
  /** Lines as they come, until the signal is aborted (then it ends without an error). */
  followLogs(environment: string, name: string, query: LogQuery & { signal: AbortSignal }): AsyncIterable<LogLine>;
  listFlags(environment: string): Promise<readonly FlagView[]>;
  getFlag(environment: string, name: string): Promise<FlagView>;
  /** Newest first; also of a flag that has gone. */
  flagHistory(environment: string, name: string, options?: { limit?: number }): Promise<FlagHistory>;
  /** Until it is cleared. */
  setFlag(environment: string, name: string, request: SetFlagRequest): Promise<FlagView>;
  killFlag(environment: string, name: string): Promise<FlagView>;
  /** What one of these, or `clearFlag`, would come to. */
  previewFlag(environment: string, name: string, request: PreviewFlagRequest): Promise<FlagPreview>;
  clearFlag(environment: string, name: string): Promise<FlagView>;
  /** The one under way, or the last one. */
  getFlagRollout(environment: string, name: string): Promise<FlagRolloutView>;
  startFlagRollout(environment: string, name: string, request: StartFlagRolloutRequest): Promise<FlagRolloutView>;
  stopFlagRollout(environment: string, name: string): Promise<FlagRolloutView>;
  /** What a user would be served; counts nowhere. */
  evaluateFlag(environment: string, name: string, request: EvaluateFlagRequest): Promise<FlagEvaluation>;
  listNotifications(environment: string): Promise<NotificationReport>;
  /** Sends a sample. */
  testNotification(environment: string, name: string): Promise<DeliveryTrial>;
  /** Has a message delivered now that waits or was given up. */
  retryMessage(environment: string, id: string): Promise<MessageView>;
  listBackups(environment: string, name: string): Promise<DatabaseBackups>;
  backUpDatabase(environment: string, name: string): Promise<DatabaseOperation>;
  /** Says whether a restore is possible, and how; changes nothing. */
  planRestore(environment: string, name: string, to: string): Promise<DatabaseRestorePlan>;
  restoreDatabase(environment: string, name: string, to: string): Promise<DatabaseOperation>;
  getDatabaseOperation(environment: string, name: string, id: string): Promise<DatabaseOperation>;
  listEvents(filter?: EventFilter & { limit?: number }): Promise<EventPage>;
  /** Events as they come, each exactly once also across a restart of the control plane, until the signal is aborted. */
  followEvents(filter: EventFilter & { signal: AbortSignal }): AsyncIterable<SluiceEvent>;
  listKeys(): Promise<readonly KeyView[]>;
  createKey(request: CreateKeyRequest): Promise<CreatedKey>;
  revokeKey(id: string): Promise<KeyView>;
  /** Into the folder `backups` of the home. */
  createBackup(): Promise<Backup>;
  shutdown(request: ShutdownRequest): Promise<void>;
}

export interface RunOptions {
  /** Changes made at the same time. */
  readonly parallelism?: number;
}

export interface ClientOptions extends TransportOptions {
  readonly clock?: Clock;
}

/** A broken stream is taken up again for this long; a control plane that stays away longer is reported. */
const patienceMs = 30_000;
/** Of a request that may be repeated, where no answer comes. */
const attempts = 3;

export function createClient({ clock = systemClock, ...options }: ClientOptions): Client {
  const transport = createTransport(options);
  const get = async <Answer>(path: string): Promise<Answer> => (await transport.json('GET', path)) as Answer;
  const post = async <Answer>(path: string, body?: unknown): Promise<Answer> => (await transport.json('POST', path, body)) as Answer;

  /** A request that is sent again while nobody has answered it, under one key: it is carried out once. */
  async function once<Answer>(path: string, body?: unknown): Promise<Answer> {
    const headers = { 'idempotency-key': randomUUID() };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await transport.json('POST', path, body, headers)) as Answer;
      } catch (thrown) {
        const isLost = thrown instanceof SluiceError && thrown.code === 'control_plane_unreachable';
        if (!isLost || attempt === attempts) throw thrown;
        await clock.sleep(250 * attempt);
      }
    }
  }

  async function* followEvents({ signal, after = 0, ...filter }: EventFilter & { signal: AbortSignal }): AsyncIterable<SluiceEvent> {
    let last = after;
    let failingSince: number | undefined;
    while (!signal.aborted) {
      try {
        const path = `/v1/events${query({ ...filter, after: last, follow: true })}`;
        for await (const message of transport.stream(path, { signal, lastEventId: String(last) })) {
          failingSince = undefined;
          if (message.id !== undefined) last = Number(message.id);
          yield JSON.parse(message.data) as SluiceEvent;
        }
      } catch (thrown) {
        if (signal.aborted) return;
        if (!(thrown instanceof SluiceError) || thrown.retry !== 'retry') throw thrown;
        failingSince ??= clock.monotonic();
        if (clock.monotonic() - failingSince > patienceMs) throw thrown;
      }
      await clock.sleep(250, signal).catch(() => undefined);
    }
  }

  async function* followLogs(environment: string, name: string, { signal, ...rest }: LogQuery & { signal: AbortSignal }) {
    try {
      const path = `${service(environment, name)}/logs${query({ ...rest, follow: true })}`;
      for await (const message of transport.stream(path, { signal })) yield JSON.parse(message.data) as LogLine;
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }

  return {
    url: options.url,
    status: () => get('/v1/status'),
    openApi: () => get('/openapi.json'),
    getGateway: () => get('/v1/gateway'),
    upgradeGateway: () => post('/v1/gateway/upgrade'),
    metrics: () => transport.text('/metrics'),
    createPlan: (request) => post('/v1/plans', request),
    getPlan: (id) => get(`/v1/plans/${segment(id)}`),
    applyPlan: (id, options = {}) => post(`/v1/plans/${segment(id)}/apply${query({ ...options })}`),
    listRuns: (filter = {}) => get(`/v1/runs${query(filter)}`),
    getRun: (id) => get(`/v1/runs/${segment(id)}`),
    cancelRun: (id) => post(`/v1/runs/${segment(id)}/cancel`),
    waitForRun: async (id, { onEvent, signal } = {}) => {
      const over = new AbortController();
      const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
      try {
        for await (const event of followEvents({ run: id, signal: either })) {
          onEvent?.(event);
          if (event.type === 'run.finished') break;
        }
        signal?.throwIfAborted();
        return await get<Run>(`/v1/runs/${segment(id)}`);
      } finally {
        over.abort();
      }
    },
    getLock: (environment) => get(`/v1/environments/${segment(environment)}/lock`),
    unlock: (environment, since) => post(`/v1/environments/${segment(environment)}/unlock`, { since }),
    getDrift: (environment) => get(`/v1/environments/${segment(environment)}/drift`),
    repairDrift: (environment, options = {}) => post(`/v1/environments/${segment(environment)}/drift/repair${query({ ...options })}`),
    acceptDrift: (environment) => post(`/v1/environments/${segment(environment)}/drift/accept`),
    listAudit: (page = {}) => get(`/v1/audit${query({ ...page })}`),
    verifyAudit: () => get('/v1/audit/verification'),
    listResources: (environment) => get(`/v1/environments/${segment(environment)}/resources`),
    getResource: (environment, kind, name) => get(`/v1/environments/${segment(environment)}/resources/${segment(kind)}/${segment(name)}`),
    forgetResource: async (environment, kind, name) =>
      (await transport.json(
        'DELETE',
        `/v1/environments/${segment(environment)}/resources/${segment(kind)}/${segment(name)}`,
      )) as ResourceView,
    listServices: (environment) => get(`/v1/environments/${segment(environment)}/services`),
    getService: (environment, name) => get(service(environment, name)),
    scaleService: (environment, name, replicas) => post(`${service(environment, name)}/scale`, { replicas }),
    restartService: (environment, name) => post(`${service(environment, name)}/restart`),
    promoteRollout: (environment, name, request = {}) => once(`${service(environment, name)}/rollout/promote`, request),
    pauseRollout: (environment, name) => once(`${service(environment, name)}/rollout/pause`),
    resumeRollout: (environment, name) => once(`${service(environment, name)}/rollout/resume`),
    abortRollout: (environment, name) => once(`${service(environment, name)}/rollout/abort`),
    retryRollout: (environment, name) => once(`${service(environment, name)}/rollout/retry`),
    rollBack: (environment, name, request = {}) => once(`${service(environment, name)}/rollout/rollback`, request),
    listRollouts: (environment, name) => get(`${service(environment, name)}/rollouts`),
    listReleases: (environment, name) => get(`${service(environment, name)}/releases`),
    getRelease: (environment, name, id) => get(`${service(environment, name)}/releases/${segment(id)}`),
    compareReleases: (environment, name, { from, to }) =>
      get(`${service(environment, name)}/releases/${segment(to)}/difference${query({ from })}`),
    readLogs: (environment, name, filter = {}) => get(`${service(environment, name)}/logs${query({ ...filter })}`),
    followLogs,
    listFlags: (environment) => get(`/v1/environments/${segment(environment)}/flags`),
    getFlag: (environment, name) => get(flag(environment, name)),
    flagHistory: (environment, name, options = {}) => get(`${flag(environment, name)}/history${query({ ...options })}`),
    setFlag: (environment, name, request) => post(`${flag(environment, name)}/override`, request),
    killFlag: (environment, name) => post(`${flag(environment, name)}/kill`),
    previewFlag: (environment, name, request) => post(`${flag(environment, name)}/preview`, request),
    clearFlag: async (environment, name) => (await transport.json('DELETE', `${flag(environment, name)}/override`)) as FlagView,
    getFlagRollout: (environment, name) => get(`${flag(environment, name)}/rollout`),
    startFlagRollout: (environment, name, request) => post(`${flag(environment, name)}/rollout`, request),
    stopFlagRollout: async (environment, name) => (await transport.json('DELETE', `${flag(environment, name)}/rollout`)) as FlagRolloutView,
    evaluateFlag: (environment, name, request) => post(`${flag(environment, name)}/evaluate`, request),
    listNotifications: (environment) => get(`/v1/environments/${segment(environment)}/notifications`),
    testNotification: (environment, name) => post(`/v1/environments/${segment(environment)}/notifications/${segment(name)}/test`),
    retryMessage: (environment, id) => post(`/v1/environments/${segment(environment)}/messages/${segment(id)}/retry`),
    listBackups: (environment, name) => get(`${database(environment, name)}/backups`),
    backUpDatabase: (environment, name) => post(`${database(environment, name)}/backups`),
    planRestore: (environment, name, to) => post(`${database(environment, name)}/restore-plans`, { to }),
    restoreDatabase: (environment, name, to) => post(`${database(environment, name)}/restores`, { to }),
    getDatabaseOperation: (environment, name, id) => get(`${database(environment, name)}/operations/${segment(id)}`),
    listEvents: (filter = {}) => get(`/v1/events${query({ ...filter })}`),
    followEvents,
    listKeys: () => get('/v1/keys'),
    createKey: (request) => post('/v1/keys', request),
    revokeKey: async (id) => (await transport.json('DELETE', `/v1/keys/${segment(id)}`)) as KeyView,
    createBackup: () => post('/v1/state/backups'),
    shutdown: async (request) => {
      await post('/v1/shutdown', request);
    },
  };
}

const segment = encodeURIComponent;

function service(environment: string, name: string): string {
  return `/v1/environments/${segment(environment)}/services/${segment(name)}`;
}

function flag(environment: string, name: string): string {
  return `/v1/environments/${segment(environment)}/flags/${segment(name)}`;
}

function database(environment: string, name: string): string {
  return `/v1/environments/${segment(environment)}/databases/${segment(name)}`;
}

function query(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}
