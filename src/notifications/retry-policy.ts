import type { OutboxMessage } from './message.ts';

/** How often and how long delivering a notification is tried. */
export interface RetryPolicy {
  readonly firstMs: number;
  readonly mostMs: number;
  readonly attempts: number;
  readonly ageMs: number;
}

/** From a second to half an hour apart, for a day. */
export const usualPolicy: RetryPolicy = { firstMs: 1_000, mostMs: 1_800_000, attempts: 60, ageMs: 86_400_000 };
/** A rollout waits for the answer of a hook. */
const hookPauses = { firstMs: 1_000, mostMs: 30_000 };

/** What one attempt came to. `final`: another one would come to the same. */
export type Attempt =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'failed'; readonly reason: string; readonly final: boolean; readonly retryAfterMs?: number }
  /** Nobody asked for it any more, or the control plane is ending: it does not count. */
  | { readonly outcome: 'dropped' }
  | { readonly outcome: 'interrupted' };

/** What becomes of a message after an attempt. Pure. */
export type Next =
  | { readonly next: 'done' | 'remove' | 'release' }
  | { readonly next: 'again'; readonly message: OutboxMessage }
  | { readonly next: 'answered'; readonly message: OutboxMessage }
  | { readonly next: 'dead'; readonly message: OutboxMessage; readonly reason: string };

/**
 * Notifications are tried until they are taken or their attempts or their time are used up. Hooks are tried as often as they say, then the
 * answer is that they failed: what follows is the rollout's to decide. `chance` is uniform in [0, 1).
 */
export function afterAttempt(claimed: OutboxMessage, attempt: Attempt, now: number, chance: number, policy = usualPolicy): Next {
  const { claim: _, ...message } = claimed;
  if (attempt.outcome === 'dropped' || attempt.outcome === 'interrupted') {
    return { next: attempt.outcome === 'dropped' ? 'remove' : 'release' };
  }
  const attempts = message.attempts + 1;
  const { target } = message;
  if (attempt.outcome === 'delivered') {
    return target.kind === 'hook'
      ? { next: 'answered', message: { ...message, attempts, answer: { outcome: 'passed' } } }
      : { next: 'done' };
  }
  const { reason, final } = attempt;
  const tried = { ...message, attempts, trouble: reason };
  const pauses = target.kind === 'hook' ? hookPauses : policy;
  const pause = pauseMs(attempts, pauses, attempt.retryAfterMs, chance);
  const again: Next = { next: 'again', message: { ...tried, dueAt: now + pause } };
  if (target.kind === 'hook') {
    if (!final && attempts <= target.retries) return again;
    return { next: 'answered', message: { ...tried, answer: { outcome: 'failed', reason } } };
  }
  if (final) return { next: 'dead', message: tried, reason };
  if (attempts >= policy.attempts) return { next: 'dead', message: tried, reason: `${reason}; it was tried ${attempts} times` };
  if (now + pause > message.createdAt + policy.ageMs) {
    return {
      next: 'dead',
      message: tried,
      reason: `${reason}; it was tried ${attempts} times in ${Math.round(policy.ageMs / 3_600_000)} h`,
    };
  }
  return again;
}

/** Twice as long each time, up to the most, and half of it by chance; what the receiver asks for, if it is longer and within the most. */
function pauseMs(
  attempts: number,
  { firstMs, mostMs }: Pick<RetryPolicy, 'firstMs' | 'mostMs'>,
  asked: number | undefined,
  chance: number,
): number {
  const grown = Math.min(mostMs, firstMs * 2 ** Math.min(30, attempts - 1));
  return Math.max(grown * (0.5 + chance / 2), Math.min(mostMs, asked ?? 0));
}
