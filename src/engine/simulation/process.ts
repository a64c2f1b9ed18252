export type Moment = 'before a write' | 'after a write' | 'before a call' | 'after a call';

/** What stands between a process and the world. */
export interface Process {
  readonly name: string;
  /** Never resolves for a dead process. */
  readonly living: () => Promise<void>;
  /** As `living`; for one that is paused it resolves when the pause is over. */
  readonly awake: () => Promise<void>;
  /** Here a process may die, be paused or be told to cancel. */
  readonly moment: (at: Moment) => Promise<void>;
}
