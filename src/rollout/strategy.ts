import type { ServiceRoute } from '../gateway/routing-table.ts';
import type { NewEvent } from '../telemetry/events.ts';
import type { Counts } from './evidence/judge.ts';
import type { HookAnswers } from './hooks/hook.ts';
import type { SeenOutcomes } from './experiment/counted-outcomes.ts';
import type { SourceSettings } from './sources/source.ts';
import type { Measurements } from './sources/source-state.ts';
import type { InstanceProcess, ServiceState, SmokeSettings } from './service-state.ts';
import type { TesterRoute } from './traffic.ts';

/** What a controller sees of a service at one moment. */
export interface Observation {
  /** By instance id; one for each instance of the state. */
  readonly instances: ReadonlyMap<string, ObservedInstance>;
  /** What the gateway has acknowledged last; undefined when that is not known (a new controller has to publish first). */
  readonly published: ServiceRoute | undefined;
  /** Work in flight by instance id, counted after `published` was acknowledged; undefined when the gateway cannot be asked. */
  readonly inFlight: ReadonlyMap<string, number> | undefined;
  /** What the gateway has counted of the candidate and stable; undefined when nothing asks for it or it cannot be asked. */
  readonly evidence?: GatewayEvidence | undefined;
  /** What the gateway has counted of the arms of the experiment that is being made. */
  readonly experiment?: ObservedExperiment | undefined;
  /** Since when somebody has been looking: before that, nothing that was late can be held against anybody. 0 when absent. */
  readonly watchedSince?: number;
  /** What became of the smoke check of the candidate; undefined while it has not been made. */
  readonly smoke?: SmokeOutcome | undefined;
  /** How hooks that are due were answered, by their key; those that are not answered yet are absent. */
  readonly hooks?: HookAnswers | undefined;
  /** What sources of evidence were found to say, as far as this controller has asked them. */
  readonly measurements?: Measurements | undefined;
}

/** How long something has been waited for (ms) while somebody was looking. */
export function waitedFor(since: number, { watchedSince = 0 }: Pick<Observation, 'watchedSince'>, now: number): number {
  return now - Math.max(since, watchedSince);
}

/** When a limit (ms) for something that has been waited for runs out. */
export function limitOf(since: number, { watchedSince = 0 }: Pick<Observation, 'watchedSince'>, limitMs: number): number {
  return Math.max(since, watchedSince) + limitMs;
}

export interface GatewayEvidence {
  /** Counts of another epoch begin at zero: the gateway was started anew. */
  readonly epoch: string;
  readonly counts: Counts;
  /** Requests that were mirrored, and their copies; absent where none can have been. */
  readonly copies?: Counts;
  /** Whether the counts are all there are. */
  readonly isComplete: boolean;
  /** Latency (ms) of stable at the quantiles of the rules, before the rollout; undefined while too little is known of it. */
  readonly stableLatencies?: readonly number[] | undefined;
}

export interface ObservedExperiment {
  /** Safety of each arm beside stable, by generation. */
  readonly arms: ReadonlyMap<number, GatewayEvidence>;
  readonly outcomes: SeenOutcomes;
}

export type SmokeOutcome = { readonly outcome: 'passed' } | { readonly outcome: 'failed'; readonly reason: string };

export type ObservedInstance =
  /** Not started yet since it entered the phase `starting`, or started and forgotten. */
  | { readonly status: 'absent' }
  | { readonly status: 'running'; readonly process: InstanceProcess; readonly health: Health; readonly reason?: string }
  | { readonly status: 'ended'; readonly reason: string };

export type Health = 'unknown' | 'passing' | 'failing';

/** What is to be done. Every command is idempotent and is given again until the observation shows that it has been carried out. */
export type Command =
  | { readonly type: 'start'; readonly instance: string }
  | { readonly type: 'publish'; readonly route: ServiceRoute }
  | { readonly type: 'stop'; readonly instance: string; readonly deadlineMs: number }
  | { readonly type: 'forget'; readonly instance: string }
  /** One request to each of these instances, and one on each of these ways through the gateway; what comes of it is in the next observations. */
  | {
      readonly type: 'smoke';
      readonly instances: readonly string[];
      readonly routes: readonly TesterRoute[];
      readonly check: SmokeSettings;
    }
  /** One measurement of a source of evidence, made once by its key; what comes of it is in later observations. */
  | { readonly type: 'measure'; readonly source: SourceSettings; readonly key: string }
  /** Remove the route, then the document: nothing of the service is left. */
  | { readonly type: 'withdraw' }
  /** Told once, best effort: events inform, they decide nothing. */
  | { readonly type: 'announce'; readonly event: NewEvent };

export interface StepResult {
  readonly state: ServiceState;
  /** To be carried out once `state` is durable. */
  readonly commands: readonly Command[];
  /** When to step again if nothing happens before. */
  readonly wakeAt?: number;
}

/** One rollout strategy: pure, so that it can be replayed, simulated and explained. `now` is in milliseconds since the epoch. */
export type Strategy = (state: ServiceState, observation: Observation, now: number) => StepResult;
