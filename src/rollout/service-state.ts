import type { Digest } from '../digest/digest.ts';
import type { Json } from '../digest/json.ts';
import type { HealthCheck, InstanceImage, MachinePlacement, ResourceLimits } from '../providers/workloads.ts';
import type { SplitRoute } from '../gateway/routing-table.ts';
import type { Allowance } from '../stack/fields/allowance.ts';
import type { Address } from '../stack/stack.ts';
import type { Course, MirrorSettings } from './course-state.ts';
import type { ExperimentSettings } from './experiment/experiment-state.ts';
import type { Rules, Verdict } from './evidence/judge.ts';
import type { HookSettings } from './hooks/hook.ts';
import type { SourceSettings } from './sources/source.ts';
import type { TrafficPolicies } from './traffic-policies.ts';

/**
 * Everything a service's rollout needs to know, one document of the store's collection `services`, keyed `environment/name`. A control
 * plane that has forgotten everything else continues from it. Holds no secret: the token is sealed, `environment` is as declared.
 */
export interface ServiceState {
  readonly address: Address;
  readonly environment: string;
  readonly name: string;
  /** Part of every instance id, so that a service that is created again never reuses one. */
  readonly uid: string;
  /** Number of the newest instance and of the newest revision. */
  readonly instanceSequence: number;
  readonly generation: number;
  readonly token: { readonly sealed: string; readonly digest: string };
  /** Id of the operation that last set what is desired. */
  readonly operation: string;
  readonly mode: 'running' | 'suspended' | 'removed';
  readonly replicas: number;
  readonly settings: ServiceSettings;
  /** The revisions that `stable`, `candidate`, `failure` or an instance refer to. */
  readonly revisions: readonly Revision[];
  /** Generation that is in use; absent until a first rollout has succeeded. */
  readonly stable?: number;
  /** The rollout under way. */
  readonly candidate?: Candidate;
  /** Why the last rollout failed; absent once another one has begun. */
  readonly failure?: Failure;
  /** Generations that went by stages and did not come into use, while they have instances: they get no requests while others can answer. */
  readonly leftBehind?: readonly number[];
  /** The generation before stable, kept ready for an instant return. */
  readonly previous?: { readonly generation: number; readonly until: number };
  /** What the arms of the declared experiment are made of, and the release of the plain candidate, without which they mean nothing. */
  readonly arms?: { readonly of: string; readonly members: readonly { readonly name: string; readonly content: RevisionContent }[] };
  /**
   * Stable is an arm of an experiment that was promoted, in the place of the plain release `of`, whose rollout began under the generation
   * `began`. Means nothing when stable is not `release`.
   */
  readonly chosen?: { readonly arm: string; readonly began: number; readonly release: string; readonly of: string };
  /** What was in use before stable, the latest first, each release once: what can be returned to. */
  readonly history?: readonly FormerRelease[];
  /** How stable was treated before the rollout that is under way or was taken back: it goes to `history` with it. */
  readonly stableTreatment?: Treatment;
  /** Every rollout there was, the latest first, the one under way included; the older ones are forgotten. */
  readonly rollouts?: readonly RolloutRecord[];
  readonly instances: readonly Instance[];
  /** What was asked for under a key, the latest first: it is not done again. */
  readonly asked?: readonly { readonly by: string; readonly key: string; readonly action: Json }[];
  /** What the gateway is to count for a flag; a release that is judged itself comes first. */
  readonly flagCounts?: FlagCounts;
}

/** Outcomes that are compared by the variant of a flag, which answers name in `x-sluice-attributes`. */
export interface FlagCounts {
  readonly id: string;
  readonly attribute: string;
  readonly variant: string;
  /** Chance with which a user is served the variant; absent while it is changing, and nothing counts. */
  readonly probability?: number;
  /** Latencies (ms) beyond which outcomes are counted. */
  readonly thresholds: readonly number[];
}

/** What concerns the service as a whole: changing it replaces no instance. */
export interface ServiceSettings {
  readonly expose: readonly { readonly host: string; readonly path: string }[];
  readonly calls: readonly string[];
  readonly drainMs: number;
  /** Absent in what an older version has stored. */
  readonly policies?: TrafficPolicies;
  /** Bounds and targets of the number of instances, where load decides it. */
  readonly scaling?: ScalingSettings;
  readonly rollout: RolloutSettings;
}

/** How requests to a release are treated, and how it is drained: comes and goes with the release. */
export type Treatment = Pick<ServiceSettings, 'drainMs' | 'policies'>;

/** A release that was in use. Without `treatment`, an older version has recorded it: then that of today holds. */
export interface FormerRelease extends RevisionContent {
  readonly treatment?: Treatment;
}

export interface ScalingSettings {
  readonly min: number;
  readonly max: number;
  /** Milliseconds that 95 of 100 requests are to stay below. */
  readonly latencyMs?: number;
  /** Waiting, and running, requests per instance. */
  readonly queueDepth?: number;
  readonly concurrency?: number;
}

export interface RolloutSettings {
  /** Name of an entry of `strategies`. */
  readonly strategy: string;
  /** Of a percentage it depends on the number of instances at the moment: see `roomToMove`. */
  readonly maxSurge: Allowance;
  readonly maxUnavailable: Allowance;
  readonly progressDeadlineMs: number;
  /** Of the strategies that go by stages: what they are, in order. The last one is always the whole. */
  readonly stages?: readonly StageSettings[];
  /** Whether the whole candidate has to be ready before it gets any request. */
  readonly fullSet?: boolean;
  /** The candidate has to answer this before it gets any request. */
  readonly smoke?: SmokeSettings;
  /** Host name under which the candidate answers before its first stage with a share. */
  readonly previewHost?: string;
  /** How long the release before stays ready, without requests, after another has taken over. */
  readonly keepPreviousMs?: number;
  readonly affinity?: NonNullable<SplitRoute['affinity']>;
  readonly analysis?: AnalysisSettings;
  readonly onFailure?: 'rollback' | 'hold';
  /** Asked before the first request of the candidate (`before`), and before it is completed (`after`). */
  readonly hooks?: readonly HookSettings[];
  readonly experiment?: ExperimentSettings;
  /** Whether the candidate is compared with fresh instances of stable. */
  readonly baseline?: boolean;
  /** Where `auto` is declared: that this way was chosen for the rollout, and why. It holds for as long as the rollout does. */
  readonly chosen?: ChosenWay;
}

export interface ChosenWay {
  readonly pace: 'usual' | 'careful';
  /** `minor version, prompt changed, API unchanged: canary 5, 25, 50`. */
  readonly because: string;
}

export interface StageSettings {
  /** Percentage of new requests for the candidate. */
  readonly weight: number;
  /** Requests that are copied to the candidate, whose weight is then 0. */
  readonly mirror?: MirrorSettings;
  /** How long it lasts at least. */
  readonly forMs: number;
  /** Whether somebody has to agree before it ends. */
  readonly approval: boolean;
  readonly hooks?: readonly HookSettings[];
  /** The arms of the experiment are compared; the weight is that of each. */
  readonly experiment?: true;
  /** It ends only when the verdict is `pass`; so long after its beginning that is waited for no longer. */
  readonly passWithinMs?: number;
}

export interface SmokeSettings {
  readonly path: string;
  readonly timeoutMs: number;
}

export interface AnalysisSettings {
  readonly rules: Rules;
  readonly latencyTolerance: number;
  /** What is asked beside the gateway. */
  readonly sources?: readonly SourceSettings[];
  readonly noData: 'hold' | 'rollback' | 'continue';
}

/** What an instance is made of. A service moves from one revision to the next; two may share a release (a restart, a changed secret). */
export interface Revision extends RevisionContent {
  readonly generation: number;
}

export interface RevisionContent {
  /** Release id, `r-0123456789ab`. */
  readonly release: string;
  readonly version: string;
  /** The release's folder. */
  readonly directory: string;
  readonly command: readonly string[];
  /** As declared, interpolations of outputs unresolved. */
  readonly env: Readonly<Record<string, string>>;
  /** What Sluice adds for the release: SLUICE_PROMPTS, SLUICE_POLICY, SLUICE_MODEL. */
  readonly releaseEnv: Readonly<Record<string, string>>;
  /** Keyed digest of the resolved command and env: a changed secret is another revision. */
  readonly configuration: Digest;
  readonly health: HealthSettings;
  readonly machine?: MachinePlacement;
  readonly limits?: ResourceLimits;
  /** Absent for what runs as processes. */
  readonly image?: InstanceImage;
}

export interface HealthSettings {
  readonly check: HealthCheck;
  readonly intervalMs: number;
  /** An instance that is not ready by then has failed to start. */
  readonly startPeriodMs: number;
}

export interface Candidate {
  readonly generation: number;
  readonly startedAt: number;
  /** An arm of the experiment goes on as the candidate: its name, and the generation under which the rollout began. */
  readonly arm?: string;
  readonly began?: number;
  /** Set while nothing new is to happen: by whom or why, and since when. */
  readonly paused?: {
    readonly reason: string;
    readonly since: number;
    /** Only until every source of evidence can be asked again. */
    readonly recovers?: boolean;
  };
  /** It returns to a release that was in use before: replaced as fast as capacity allows, without stages. */
  readonly urgent?: boolean;
  /** How far it has come. Where it is rolled, it holds what became of its hooks and no more. */
  readonly course?: Course;
  /** Where it is rolled: whether its hooks have yet to let it get its first request. Absent where none was ever to be asked. */
  readonly heldBack?: boolean;
  /** When the rollout last came nearer to its end, and how near: the measure only grows. */
  readonly progressAt: number;
  readonly progress: number;
}

/** One rollout of a service: what was to replace what, by whom, and how it ended. Times in milliseconds since the epoch. */
export interface RolloutRecord {
  readonly generation: number;
  readonly release: string;
  readonly version: string;
  /** Release that was in use when it began; absent for the first one. */
  readonly from?: string;
  readonly strategy: string;
  /** Why this strategy, where it was chosen and not declared. */
  readonly because?: string;
  readonly startedAt: number;
  readonly by?: string;
  readonly why?: string;
  readonly endedAt?: number;
  /** Absent while it is under way. */
  readonly outcome?: 'completed' | 'failed' | 'superseded';
  /** Why it failed. */
  readonly reason?: string;
  /** Who ended it, where somebody did. */
  readonly endedBy?: string;
  /** What was known of the candidate at the end, in words. */
  readonly evidence?: readonly string[];
  /** What came of its experiment. */
  readonly experiment?: ExperimentRecord;
}

/** What came of an experiment. */
export interface ExperimentRecord {
  /** `undecided`: it was ended before anything was concluded. */
  readonly outcome: 'winner' | 'control' | 'no_difference' | 'error' | 'undecided';
  readonly winner?: string;
  /** The arm that went on, as the release of the record. */
  readonly promoted?: string;
  readonly arms: readonly { readonly name: string; readonly release: string; readonly withdrawn?: string }[];
  /** Rates, intervals and what follows, in words. */
  readonly words: readonly string[];
}

interface Failure {
  readonly generation: number;
  /** The rollout began under this generation; `generation` was an arm of its experiment. */
  readonly began?: number;
  /** What it did, not whether it ran, was its fault: it gets no request while stable can answer at all. */
  readonly withdrawn?: boolean;
  readonly release: string;
  readonly reason: string;
  /** Instance whose log explains it, when there is one. */
  readonly instance?: string;
  /** What was known of it when it was given up. */
  readonly evidence?: Verdict;
  /** The end of that log, without secrets. */
  readonly log?: string;
}

/**
 * `starting` (to be started, or not ready yet), `ready`, `unready` (was ready, fails its checks), `backing_off` and `crash_looping` (ended
 * by itself, waits for `retryAt`), `giving_up` (not ready in time: is being ended, then backs off), `draining` (finishes what it has),
 * `stopping`, `stopped` (its traces are being removed).
 */
export type InstancePhase =
  | 'starting'
  | 'ready'
  | 'unready'
  | 'backing_off'
  | 'crash_looping'
  | 'giving_up'
  | 'draining'
  | 'stopping'
  | 'stopped';

export interface Instance {
  readonly id: string;
  readonly generation: number;
  /** Generation of the candidate beside which it was started to be compared with; of no meaning beside any other. */
  readonly baseline?: number;
  /** It gets no request before the hooks of its candidate have agreed. */
  readonly heldBack?: true;
  readonly phase: InstancePhase;
  /** When it entered the phase. */
  readonly since: number;
  readonly restarts: number;
  /** Times of the unexpected exits that still count. */
  readonly exits: readonly number[];
  /** Known once the process exists; absent while it does not. */
  readonly process?: InstanceProcess;
  readonly retryAt?: number;
  /** Set once the gateway gives it nothing new. */
  readonly drainUntil?: number;
  /** Why it is not ready. */
  readonly reason?: string;
}

export interface InstanceProcess {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly startedAt: string;
  readonly logFile: string;
}

export function revisionOf(state: Pick<ServiceState, 'revisions'>, generation: number | undefined): Revision | undefined {
  return state.revisions.find((revision) => revision.generation === generation);
}

/** What the instances of a generation are made of. */
export function contentOf(state: Pick<ServiceState, 'revisions'>, generation: number | undefined): RevisionContent | undefined {
  const revision = revisionOf(state, generation);
  if (!revision) return undefined;
  const { generation: _, ...content } = revision;
  return content;
}

/** The generation the service is being brought to. */
export function targetGeneration(state: Pick<ServiceState, 'candidate' | 'stable'>): number | undefined {
  return state.candidate?.generation ?? state.stable;
}

/** Still meant to serve: neither on its way out nor out. */
export function isLive(instance: Pick<Instance, 'phase'>): boolean {
  return instance.phase !== 'draining' && instance.phase !== 'stopping' && instance.phase !== 'stopped';
}
