import type { Override } from '../flags/flag.ts';
import { addCounts, noCounts } from '../rollout/evidence/counts.ts';
import { type Counts, judge } from '../rollout/evidence/judge.ts';
import { findingsInWords } from '../rollout/evidence/words.ts';
import { type FlagRollout, type FlagRolloutEnd, shareOf } from './flag-rollout.ts';

/** What the two sides of the comparison are called. */
export const sides = { candidate: 'variant', stable: 'the others' };

/** What is seen of a flag and its service at one moment. */
export interface FlagObservation {
  /** What is set by hand; it is the rollout's own unless somebody else was there. */
  readonly override: Override | undefined;
  /** Whether flag, variant and service are still there. */
  readonly exists: boolean;
  /** A release of the service is being judged meanwhile: what happens to users may be its doing. */
  readonly isServiceBusy: boolean;
  /** Whether the gateway is known to count as it is asked to; absent where nobody waits for it. */
  readonly isTold?: boolean | undefined;
  /** What the gateway has counted for this step; undefined while it counts nothing or cannot be asked. */
  readonly counted?: { readonly epoch: string; readonly counts: Counts; readonly isComplete: boolean } | undefined;
  readonly latencies?: readonly number[] | undefined;
}

/** What becomes of the override: `share`: so many percent get the variant; `everybody`; `back`: what was there before. */
export type FlagChange = { readonly type: 'share'; readonly percent: number } | { readonly type: 'everybody' | 'back' };

export interface FlagStep {
  readonly rollout: FlagRollout;
  /** To be made durable with `rollout`. */
  readonly change?: FlagChange;
}

/**
 * One look at a rollout of a flag, pure: judged by all that was counted since it began, however often it looks. A change by anybody else
 * ends it and is left as it is. No data is never success: a step without enough outcomes lasts.
 */
export function step(rollout: FlagRollout, seen: FlagObservation, now: number): FlagStep {
  if (rollout.end) return { rollout };
  if (!seen.exists) return { rollout: ended(rollout, 'stopped', 'the flag, its variant or the service is gone', now) };
  if (!isOwn(rollout, seen.override)) return { rollout: ended(rollout, 'stopped', 'somebody changed what the flag serves', now) };
  if (seen.isServiceBusy) return { rollout: { ...rollout, phase: 'noticing', since: now } };
  if (rollout.phase === 'noticing') {
    // Only between steps: counts of other thresholds would begin anew.
    const known = rollout.thresholds === undefined && seen.latencies ? { ...rollout, thresholds: seen.latencies } : rollout;
    return { rollout: now < known.since + known.noticeMs ? known : { ...known, phase: 'counting', since: now } };
  }
  if (rollout.phase === 'closing') return seen.isTold ? nextStep(rollout, now) : { rollout };
  const judged = fold(rollout, seen.counted);
  const verdict = judged.evidence?.verdict;
  if (verdict?.verdict === 'fail') {
    return { rollout: ended(judged, 'failed', `${verdict.because}: ${findingsInWords(verdict, sides)}`, now), change: { type: 'back' } };
  }
  if (verdict?.verdict === 'error' || now < judged.since + judged.stepMs) return { rollout: judged };
  if ((verdict?.units ?? 0) < judged.rules.minUnits) return { rollout: judged };
  if (judged.step + 1 >= judged.steps.length) {
    return { rollout: ended(judged, 'completed', 'no step showed harm', now), change: { type: 'everybody' } };
  }
  return { rollout: { ...judged, phase: 'closing', since: now } };
}

function nextStep(rollout: FlagRollout, now: number): FlagStep {
  const advanced: FlagRollout = { ...rollout, step: rollout.step + 1, phase: 'noticing', since: now };
  return { rollout: advanced, change: { type: 'share', percent: shareOf(advanced) } };
}

/** Whether the override is the one the rollout has set last. */
function isOwn(rollout: FlagRollout, override: Override | undefined): boolean {
  return override?.action === 'percent' && override.variant === rollout.variant && override.percent === shareOf(rollout);
}

/** Somebody stops it: users get what they got before. */
export function stopped(rollout: FlagRollout, by: string, now: number): FlagStep {
  return rollout.end ? { rollout } : { rollout: ended(rollout, 'stopped', `stopped by ${by}`, now), change: { type: 'back' } };
}

function fold(rollout: FlagRollout, counted: FlagObservation['counted']): FlagRollout {
  if (!counted) return rollout;
  const { evidence: known, rules } = rollout;
  const epoch = `${counted.epoch}/${rollout.thresholds?.length ?? 0}`;
  const before = known === undefined ? noCounts : known.epoch === epoch ? known.before : addCounts(known.before, known.current);
  const judged = judge(addCounts(before, counted.counts), rules);
  const verdict = counted.isComplete
    ? judged
    : { ...judged, verdict: 'error' as const, because: 'some of what happened could not be counted' };
  return { ...rollout, evidence: { before, epoch, current: counted.counts, verdict } };
}

function ended(rollout: FlagRollout, outcome: FlagRolloutEnd['outcome'], because: string, now: number): FlagRollout {
  return { ...rollout, end: { outcome, because, at: now } };
}
