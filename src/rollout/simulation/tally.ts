/** What happened in a simulation, counted. */
export type Tally = Record<TallyName, number>;

type TallyName =
  | 'rollouts'
  | 'staged'
  | 'completed'
  | 'failed'
  | 'superseded'
  /** Taken back by evidence. */
  | 'takenBack'
  /** Ended rollouts by stages with analysis whose candidate answers as stable does; and how many of them the evidence took back. */
  | 'judgedAlike'
  | 'falseRollbacks'
  | 'crashes'
  | 'publications';

export function newTally(): Tally {
  return {
    rollouts: 0,
    staged: 0,
    completed: 0,
    failed: 0,
    superseded: 0,
    takenBack: 0,
    judgedAlike: 0,
    falseRollbacks: 0,
    crashes: 0,
    publications: 0,
  };
}

/** Adds `other` to `sum` in place. */
export function addTally(sum: Tally, other: Tally): void {
  for (const name of Object.keys(sum) as TallyName[]) sum[name] += other[name];
}
