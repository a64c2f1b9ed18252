import type { HookAnswer } from '../../notifications/message.ts';

/** One who is asked on the way of a rollout. `url` and `secret` as declared. */
export interface HookSettings {
  readonly name: string;
  readonly url: string;
  readonly secret?: string;
  /** For one attempt. */
  readonly timeoutMs: number;
  /** Further attempts after the first, where it did not answer or answered 5xx. */
  readonly retries: number;
  readonly onFailure: 'rollback' | 'hold' | 'continue';
  /**
   * `before` the candidate gets the stage's share, or `after` the stage and before the next; of the rollout's own hooks, before its first
   * request and before it is completed.
   */
  readonly when: 'before' | 'after';
}

/** What became of a hook in the rollout under way. Durable, so that it is asked once however often the control plane dies. */
export interface HookRun {
  /** `overruled`: somebody went on without its answer or in spite of it. */
  readonly status: 'due' | 'passed' | 'failed' | 'overruled';
  /** 1, and one more each time somebody has it asked again. */
  readonly round: number;
  readonly since: number;
  readonly reason?: string;
  /** The rollout was held for its failure: once it goes on, it is asked again. */
  readonly held?: boolean;
}

/** By the key of the hook (see `hooksAt`): those that were reached. */
export type HookRuns = Readonly<Record<string, HookRun>>;

/** Answers that have come in, by the key of the hook. */
export type HookAnswers = ReadonlyMap<string, HookAnswer>;
