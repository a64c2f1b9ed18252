import type { Actor, Keyring } from '../access/keyring.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../effects/clock.ts';
import type { SluiceError } from '../errors/sluice-error.ts';
import type { Plan } from '../plan/plan.ts';
import type { Address } from '../stack/stack.ts';
import type { KnownSecrets } from '../secrets/known-secrets.ts';
import type { Store } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';
import type { FlagSets } from '../flags/flag-sets.ts';
import type { Ofrep } from '../flags/ofrep/answers.ts';
import type { OpenStreams } from '../flags/ofrep/open-streams.ts';
import type { RequestBudget } from '../flags/ofrep/request-budget.ts';
import type { StreamTickets } from '../flags/ofrep/stream-ticket.ts';
import type { ServiceIdentities } from '../rollout/service-identities.ts';
import type { JsonObject } from '../digest/json.ts';
import type { TextAnswer } from './endpoint.ts';
import type { Backup } from './schemas/backup.ts';
import type { DatabaseBackups, DatabaseRestorePlan, DatabaseOperation } from './schemas/database.ts';
import type { Condition } from './schemas/resource.ts';
import type { DriftReport } from './schemas/drift.ts';
import type { GatewayUpgrade, GatewayView } from './schemas/gateway.ts';
import type { FlagRolloutOrder, FlagRolloutView } from './schemas/flag-rollout.ts';
import type { FlagEvaluation, FlagHistory, FlagPreview, FlagView, PreviewFlagRequest, SetFlagRequest } from './schemas/flag.ts';
import type { LockView } from './schemas/lock.ts';
import type { DeliveryTrial, MessageView, NotificationReport } from './schemas/notification.ts';
import type { RolloutRecordView } from './schemas/rollout.ts';
import type { ListedRelease, ReleaseDifference, ReleaseView } from './schemas/release.ts';
import type { Run } from './schemas/run.ts';
import type { LogLine, ServiceView } from './schemas/service.ts';
import type { Status } from './schemas/status.ts';

/** Makes plans and keeps them. Throws SluiceErrors whose problems say all that is wrong with a stack. */
export interface PlanBook {
  create(request: PlanOrder): Promise<Plan>;
  /** Throws `unknown_plan`. */
  get(id: string): Promise<Plan>;
}

export interface ServiceOverrides {
  readonly service: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Relative to the stack; not to be trusted. */
  readonly source?: string | undefined;
  /** Reference to a container image; not to be trusted. */
  readonly image?: string | undefined;
}

export interface PlanOrder {
  /** As the caller gave it: relative to the root, not to be trusted. */
  readonly stack: string;
  readonly environment?: string | undefined;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** Values the caller's shell has for variables that `{ env }` secrets name. Never kept with the plan. */
  readonly secretVariables?: Readonly<Record<string, string>> | undefined;
  readonly mode: 'apply' | 'destroy';
  /** Addresses here and below: `kind/name` or `environment/kind/name`. */
  readonly allowDestroy: readonly string[];
  readonly allowMassDestroy: boolean;
  readonly targets: readonly string[];
  readonly excludes: readonly string[];
  readonly refreshOnly: boolean;
  readonly adopt: readonly { readonly address: string; readonly id: string }[];
  /** Of one service, instead of what the stack says. */
  readonly overrides?: ServiceOverrides | undefined;
  /** Kept for 30 days instead of one. */
  readonly save: boolean;
}

/** What may be done to the record of a resource by hand. */
interface ResourceRecords {
  /** Forgets a resource without touching it, and says so in the journal and in an event. Throws `unknown_resource`, `environment_busy`. */
  forget(address: Address, actor: { readonly key: string; readonly name: string }): Promise<void>;
}

/** Runs go on whether or not anybody watches. */
export interface RunBook {
  /** Starts applying a plan. Throws `unknown_plan`, `plan_stale`, `plan_applied`, `run_in_progress`. */
  start(plan: string, order: RunOrder): Promise<Run>;
  /** Throws `unknown_run`. */
  get(id: string): Promise<Run>;
  /** Newest first. */
  list(filter: { environment?: string | undefined; limit: number }): Promise<readonly Run[]>;
  /** No error when it is over already. */
  cancel(id: string): Promise<Run>;
  /** Sequence of the newest event before the run; undefined for an unknown one. */
  eventsBefore(id: string): Promise<number | undefined>;
}

export interface RunOrder {
  readonly actor: Actor;
  readonly reason?: string | undefined;
  /** Changes made at the same time; the engine's own number when absent. */
  readonly parallelism?: number | undefined;
}

/** Who asks for a backup or a restore, and why. */
export type DatabaseOrder = Pick<RunOrder, 'actor' | 'reason'>;

/** Who may change an environment at this moment. */
export interface LockDesk {
  get(environment: string): Promise<LockView>;
  /** Takes it away from the holder that was seen: `since` tells it from a later one. Throws `lock_changed`, `not_locked`. */
  unlock(environment: string, since: string, actor: Actor): Promise<LockView>;
}

/** What differs from what was applied. */
export interface DriftDesk {
  /** Reads every finished resource of an environment. Changes nothing. */
  find(environment: string): Promise<DriftReport>;
  /** Starts a run that brings back what was applied. Throws `nothing_drifted`, and what `RunBook.start` throws. */
  repair(environment: string, order: RunOrder): Promise<Run>;
  /** Records what is there as accepted: it is not reported again until it changes once more. */
  accept(environment: string): Promise<DriftReport>;
}

/** What may be done to a rollout at any time. */
export type RolloutAction =
  | { readonly type: 'pause' | 'resume' | 'abort' | 'retry' }
  | {
      readonly type: 'promote';
      readonly full: boolean;
      readonly arm?: string | undefined;
      readonly from?: { readonly release: string; readonly stage: number } | undefined;
    }
  | { readonly type: 'rollback'; readonly to?: string | undefined };

/** Services as people see them. Every method throws `unknown_service`. */
export interface ServiceDesk {
  list(environment: string): Promise<readonly ServiceView[]>;
  get(environment: string, name: string): Promise<ServiceView>;
  scale(environment: string, name: string, replicas: number): Promise<ServiceView>;
  restart(environment: string, name: string): Promise<ServiceView>;
  /** What people do to a rollout; under a `key` once, however often. Throws `idempotency_key_reused`, `no_rollout`, `rollout_has_no_stages`, `rollout_nothing_to_retry`, `release_not_kept`. */
  operate(
    environment: string,
    name: string,
    action: RolloutAction,
    who: { readonly by: string; readonly why?: string | undefined; readonly key?: string | undefined },
  ): Promise<ServiceView>;
  /** The latest first. */
  rollouts(environment: string, name: string): Promise<readonly RolloutRecordView[]>;
  readLogs(environment: string, name: string, query: LogSelection): Promise<readonly LogLine[]>;
  /** The last lines, then new ones as they are written; instances that start later are included. Ends when the signal is aborted. */
  followLogs(environment: string, name: string, query: LogSelection, signal: AbortSignal): AsyncIterable<LogLine>;
}

/** Releases as people see them. Every method throws `unknown_service`; `unknown_release` where one is named. */
export interface ReleaseDesk {
  /** Newest first. */
  list(environment: string, service: string): Promise<readonly ListedRelease[]>;
  get(environment: string, service: string, id: string): Promise<ReleaseView>;
  /** Without `from`, the release before. Throws `nothing_to_compare` for the oldest one. */
  compare(
    environment: string,
    service: string,
    ids: { readonly from?: string | undefined; readonly to: string },
  ): Promise<ReleaseDifference>;
}

/** Databases between applies. Every method throws `unknown_resource`, and `database_not_kept` where a provider keeps no backups. */
export interface DatabaseDesk {
  backups(environment: string, name: string): Promise<DatabaseBackups>;
  /** Begins a base backup; it goes on whether or not anybody watches. Throws `database_busy`. */
  startBackup(environment: string, name: string, order: DatabaseOrder): Promise<DatabaseOperation>;
  planRestore(environment: string, name: string, to: string): Promise<DatabaseRestorePlan>;
  /** Begins a restore, once it has been found possible. Throws `database_busy` and what `planRestore` throws. */
  startRestore(environment: string, name: string, to: string, order: DatabaseOrder): Promise<DatabaseOperation>;
  /** Throws `unknown_database_operation`. */
  operation(environment: string, name: string, id: string): Promise<DatabaseOperation>;
  /** What is to be known of a resource besides its status. */
  conditions(address: string): readonly Condition[];
}

/** Flags as people see and change them. Every method about one flag throws `unknown_flag`. */
export interface FlagDesk {
  list(environment: string): Promise<readonly FlagView[]>;
  get(environment: string, name: string): Promise<FlagView>;
  /** Newest first; also of a flag that has gone. */
  history(environment: string, name: string, limit: number): Promise<FlagHistory>;
  /** Puts an override over the rules of the stack. Throws `unknown_variant`. */
  set(environment: string, name: string, request: SetFlagRequest, order: FlagOrder): Promise<FlagView>;
  /** Serves the default to everybody. */
  kill(environment: string, name: string, order: FlagOrder): Promise<FlagView>;
  /** Lets the stack decide again. Throws `flag_not_overridden`. */
  clear(environment: string, name: string, order: FlagOrder): Promise<FlagView>;
  /** What one of these would come to; changes nothing. Throws what it would. */
  preview(environment: string, name: string, request: PreviewFlagRequest): Promise<FlagPreview>;
  /** What a user would be served; counts nowhere. */
  evaluate(environment: string, name: string, context: JsonObject): Promise<FlagEvaluation>;
}

/** Variants that are given to more and more users, judged by what happens to them. */
export interface FlagRolloutDesk {
  /** Throws `no_flag_rollout`, as `stop` does. */
  get(environment: string, flag: string): Promise<FlagRolloutView>;
  /** Throws `unknown_flag`, `unknown_variant`, `unknown_service`, `flag_rollout_running` and `flag_rollout_impossible`. */
  start(environment: string, flag: string, request: FlagRolloutOrder, order: FlagOrder): Promise<FlagRolloutView>;
  stop(environment: string, flag: string, order: FlagOrder): Promise<FlagRolloutView>;
}

export interface FlagOrder {
  readonly actor: Actor;
  readonly reason?: string | undefined;
}

/** Who is told of rollouts, and what has not reached them yet. */
export interface NotificationDesk {
  list(environment: string): Promise<NotificationReport>;
  /** Sends a sample at once, and says what came of it. Throws `unknown_notification`. */
  test(environment: string, name: string): Promise<DeliveryTrial>;
  /** Has a message that waits, or was given up, delivered now. Throws `unknown_message`, `message_busy`. */
  retry(environment: string, id: string): Promise<MessageView>;
}

/** What programs ask for flags by. */
export interface FlagEvaluationPorts {
  readonly ofrep: Ofrep;
  readonly sets: FlagSets;
  readonly services: ServiceIdentities;
  readonly tickets: StreamTickets;
  readonly budget: RequestBudget;
  readonly streams: OpenStreams;
}

/** The gateway as people and Prometheus see it. */
export interface GatewayDesk {
  /** Throws `gateway_unreachable`. */
  get(): Promise<GatewayView>;
  /** Throws `gateway_start_failed`, and then all is as before; `gateway_unreachable`. */
  upgrade(): Promise<GatewayUpgrade>;
  /** Never throws for a gateway that is away: then it says so. */
  metrics(accept: string | undefined): Promise<TextAnswer>;
}

export interface LogSelection {
  readonly instance?: string | undefined;
  /** Lines of each instance. */
  readonly tail: number;
}

export interface ApiDependencies {
  readonly keyring: Keyring;
  readonly plans: PlanBook;
  readonly runs: RunBook;
  readonly services: ServiceDesk;
  readonly releases: ReleaseDesk;
  readonly records: ResourceRecords;
  readonly databases: DatabaseDesk;
  readonly flags: FlagDesk;
  readonly notifications: NotificationDesk;
  readonly flagRollouts: FlagRolloutDesk;
  readonly evaluation: FlagEvaluationPorts;
  readonly gatewayDesk: GatewayDesk;
  readonly locks: LockDesk;
  readonly drift: DriftDesk;
  readonly audit: Pick<AuditLog, 'append' | 'read' | 'last' | 'verify'>;
  /** Takes secrets out of the words of errors. */
  readonly secrets: Pick<KnownSecrets, 'scrubError'>;
  /** Resources are read from here, and nothing is written. */
  readonly store: Pick<Store, 'get' | 'list'>;
  /** Into the folder for backups, under a name of their own. */
  readonly backups: { create(): Promise<Backup> };
  readonly events: EventLog;
  readonly clock: Clock;
  readonly version: string;
  status(): Promise<Status>;
  /**
   * Resolves once what ran before has been taken up, so that something may be changed. Throws `control_plane_starting` when that takes too
   * long, `shutting_down` when it has become too late.
   */
  readonly untilTakenUp: () => Promise<void>;
  /** Returns at once; the control plane ends after the answer has been sent. */
  shutdown(workloads: 'stop' | 'keep'): void;
  /** Host names (without port) under which requests are answered; anything else may be DNS rebinding. */
  readonly allowedHosts: readonly string[];
  /** Aborted when the server closes: streams tell what has happened until then, and end. */
  readonly closing: AbortSignal;
  /** Told of every error that is not the caller's fault. */
  report(error: SluiceError, request: { method: string; path: string }): void;
}
