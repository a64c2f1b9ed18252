import type { Plan } from '../plan/plan.ts';
import type { Kind } from '../stack/stack.ts';
import type { SluiceEvent } from '../telemetry/events.ts';
import type { EventPage } from './schemas/event.ts';
import type { CreatedKey, CreateKeyRequest, KeyView } from './schemas/key.ts';
import type { PlanRequest } from './schemas/plan.ts';
import type { ResourceView } from './schemas/resource.ts';
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
  createPlan(request: PlanRequest): Promise<Plan>;
  getPlan(id: string): Promise<Plan>;
  /** Resolves as soon as the run exists; follow it by `events({ run })`, or wait for it by `waitForRun`. */
  applyPlan(id: string): Promise<Run>;
  listRuns(filter?: { environment?: string; limit?: number }): Promise<readonly Run[]>;
  getRun(id: string): Promise<Run>;
  cancelRun(id: string): Promise<Run>;
  /** Follows the run's events until it has finished, and gives its final state. */
  waitForRun(id: string, options?: { onEvent?: (event: SluiceEvent) => void; signal?: AbortSignal }): Promise<Run>;
  listResources(environment: string): Promise<readonly ResourceView[]>;
  getResource(environment: string, kind: Kind, name: string): Promise<ResourceView>;
  listServices(environment: string): Promise<readonly ServiceView[]>;
  getService(environment: string, name: string): Promise<ServiceView>;
  scaleService(environment: string, name: string, replicas: number): Promise<ServiceView>;
  restartService(environment: string, name: string): Promise<ServiceView>;
  readLogs(environment: string, name: string, query?: LogQuery): Promise<readonly LogLine[]>;
  /** Lines as they come, until the signal is aborted (then it ends without an error). */
  followLogs(environment: string, name: string, query: LogQuery & { signal: AbortSignal }): AsyncIterable<LogLine>;
  listEvents(filter?: EventFilter & { limit?: number }): Promise<EventPage>;
  /** Events as they come, each exactly once also across a restart of the control plane, until the signal is aborted. */
  followEvents(filter: EventFilter & { signal: AbortSignal }): AsyncIterable<SluiceEvent>;
  listKeys(): Promise<readonly KeyView[]>;
  createKey(request: CreateKeyRequest): Promise<CreatedKey>;
  revokeKey(id: string): Promise<KeyView>;
  shutdown(request: ShutdownRequest): Promise<void>;
}

export interface ClientOptions {
  /** Base URL of the control plane, `http://127.0.0.1:41873`. */
  readonly url: string;
  readonly key: string;
  /** Stand-in for the global fetch, for tests. */
  readonly fetch?: typeof fetch;
}
