import type { Random } from '../../effects/random.ts';
import type { Store, Write } from '../../store/store.ts';
import type { Cloud } from './cloud.ts';
import type { Ledger } from './ledger.ts';
import type { Scheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';
import type { Address } from '../../stack/stack.ts';

/** Everything that outlives a control plane. */
export interface World {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly store: Store;
  readonly cloud: Cloud;
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** Protected resources that somebody has allowed to go. */
  readonly allowed: Set<Address>;
  /** What was there when somebody destroyed the whole environment: that allows the loss of data too, not of what is protected. */
  readonly emptied: Set<Address>;
  /** For tests of the simulation itself: makes of what an engine writes what one with a defect would. */
  readonly tamper: (writes: readonly Write[]) => readonly Write[];
  /** Whether others can rule out that this control plane still runs. */
  mayBeAlive(name: string): boolean;
}

/** What a history exercised. */
export interface Tally {
  effects: number;
  crashes: number;
  pauses: number;
  cancellations: number;
  competitions: number;
  drifts: number;
  refusals: number;
  throttled: number;
  failures: number;
  lostAnswers: number;
  quotas: number;
  creates: number;
  updates: number;
  deletes: number;
  moves: number;
  /** Copies that were deleted once nothing used them any more. */
  oldCopies: number;
}

export function emptyTally(): Tally {
  return {
    effects: 0,
    crashes: 0,
    pauses: 0,
    cancellations: 0,
    competitions: 0,
    drifts: 0,
    refusals: 0,
    throttled: 0,
    failures: 0,
    lostAnswers: 0,
    quotas: 0,
    creates: 0,
    updates: 0,
    deletes: 0,
    moves: 0,
    oldCopies: 0,
  };
}

export function addTally(total: Tally, part: Tally): void {
  for (const key of Object.keys(part) as (keyof Tally)[]) total[key] += part[key];
}
