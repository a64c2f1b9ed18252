import type { RolloutSettings, ScalingSettings, ServiceSettings } from '../rollout/service-state.ts';
import type { Fault } from './fault.ts';

/** What is asked: how a rollout of this kind would go. Plain data: it travels between threads. */
export interface Question {
  /** As declared; of the service itself nothing else matters to a rollout. */
  readonly service: ModelledService;
  readonly fault: Fault;
  /** Requests a second, on average. */
  readonly perSecond: number;
  /** People they come from. */
  readonly users: number;
  /** Share of stable's answers that fail. */
  readonly baselineErrors: number;
  /** Half of the answers of an instance of stable that has little to do take no longer (ms). */
  readonly baselineMs: number;
  /** Requests a second that an instance of stable can carry; absent where load is not modelled: then it is never too much. */
  readonly capacity?: number | undefined;
  /** From the rollout's beginning on; a candidate that nobody takes back is in use until then. */
  readonly durationMs: number;
}

export interface ModelledService {
  readonly name: string;
  readonly replicas: number;
  readonly drainMs: number;
  readonly health: { readonly intervalMs: number; readonly startPeriodMs: number };
  readonly policies?: ServiceSettings['policies'];
  /** Where load decides how many instances there are. */
  readonly scaling?: ScalingSettings | undefined;
  readonly rollout: RolloutSettings;
}

/** How one rollout went. */
export interface Course {
  /** `held`: stopped for somebody to look at it. `unfinished`: neither at the end of the duration. */
  readonly outcome: 'completed' | 'taken_back' | 'held' | 'unfinished';
  /** Why it was taken back or held. */
  readonly reason?: string;
  /** Whether the evidence did it. */
  readonly byEvidence: boolean;
  /** Milliseconds from its beginning until it was taken back, held, or completed; absent for one that is unfinished. */
  readonly endedAfterMs?: number;
  /** Of the candidate until then, or until the end of the duration where nobody took it back. */
  readonly usersExposed: number;
  readonly requestsExposed: number;
  readonly failedRequests: number;
  /** Of instances beyond those there were when it began. */
  readonly instanceMinutes: number;
  /** Instances of each release that were wanted when it began, and at most. */
  readonly replicas: { readonly first: number; readonly most: number };
}

export interface Moment {
  /** Milliseconds since the rollout's beginning. */
  readonly at: number;
  readonly what: string;
}
