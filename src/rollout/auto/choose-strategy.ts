import { sideBySideConflict } from '../../release/compatibility/side-by-side.ts';
import type { ReleaseChange } from '../../release/difference/release-change.ts';
import { assessRisk } from '../../release/difference/risk.ts';
import { changeInFacts } from './facts.ts';

/** How a service gets from its stable release to another, as `rollout.strategy: auto` has to know it. */
export type RolloutCase =
  /** Nothing is in use yet. */
  | { readonly kind: 'first' }
  /** The same release: it is started again, configured anew, or kept in spite of a candidate. */
  | { readonly kind: 'same'; readonly supersedesStages: boolean }
  /** The stable release is not on record, so that nothing can be said of the difference. */
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'change';
      readonly change: ReleaseChange;
      /** The release has been in use before, and is on record. */
      readonly isReturn: boolean;
      /** A rollout by stages is under way, whose candidate this one takes the place of. */
      readonly supersedesStages: boolean;
      readonly replicas: number;
    };

export interface StrategyChoice {
  readonly strategy: 'rolling' | 'canary' | 'blue_green';
  /** How slowly a canary goes: by how much can go wrong. */
  readonly pace: 'usual' | 'careful';
  /** What spoke for it, without the strategy: `minor version, prompt changed, API unchanged`. */
  readonly facts: readonly string[];
  /** Why not the way that the facts alone would suggest; absent where they speak for themselves. */
  readonly reason?: string;
}

/**
 * The way a release takes, by how much it can go wrong and by whether it may answer beside the stable one. Pure. What a person or a model
 * reads cannot be tested before, so it needs evidence: a canary, the slower the greater the risk. What must not answer beside the stable
 * release gets all requests at one moment, and the way back is kept open. What is of low risk, or was in use before, goes at once.
 */
export function chooseStrategy(given: RolloutCase): StrategyChoice {
  if (given.kind === 'first') return choice('rolling', ['first deployment']);
  if (given.kind === 'unknown') return { ...choice('canary', ['the stable release is not on record']), pace: 'careful' };
  if (given.kind === 'same')
    return given.supersedesStages ? choice('blue_green', ['same release'], whole) : choice('rolling', ['same release']);
  const { change, isReturn, supersedesStages, replicas } = given;
  const facts = changeInFacts(change);
  if (replicas === 0) return choice('rolling', facts, 'there is no instance to be replaced');
  const conflict = sideBySideConflict(change);
  if (conflict !== undefined) return choice('blue_green', facts, `both must not answer side by side: ${conflict}`);
  const { level } = assessRisk(change);
  const isQuick = isReturn || level === 'low';
  if (isQuick && supersedesStages) return choice('blue_green', facts, whole);
  if (isReturn) return choice('rolling', facts, 'it was in use before');
  if (level === 'low') return choice('rolling', [...facts, 'low risk']);
  return level === 'medium' ? choice('canary', facts) : { ...choice('canary', [...facts, 'high risk']), pace: 'careful' };
}

/** A few at a time, stable would give up instances while those of the superseded candidate still count beside them. */
const whole = 'stable stays whole beside the candidate that is superseded';

function choice(strategy: StrategyChoice['strategy'], facts: readonly string[], reason?: string): StrategyChoice {
  return { strategy, pace: 'usual', facts, ...(reason !== undefined && { reason }) };
}
