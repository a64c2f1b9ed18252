import { describe, expect, it } from 'vitest';
import type { OutboxMessage } from './message.ts';
import { afterAttempt, type Attempt, usualPolicy } from './retry-policy.ts';
import { waitingMessage } from './testdata/messages.ts';

const fresh: OutboxMessage = {
  ...waitingMessage('production', 'team'),
  createdAt: 0,
  attempts: 0,
  dueAt: 0,
  claim: { by: 'me', until: 1 },
};
const hook: OutboxMessage = { ...fresh, target: { kind: 'hook', name: 'test', url: 'http://x/', timeoutMs: 1_000, retries: 2 } };
const down: Attempt = { outcome: 'failed', reason: 'it answered 503', final: false };
const no: Attempt = { outcome: 'failed', reason: 'it answered 422', final: true };

/** Fails again and again: the pauses between, and what it came to in the end. */
function failing(message: OutboxMessage, chance: number, attempt = down) {
  const pauses: number[] = [];
  for (let [now, current] = [0, message]; ; ) {
    const next = afterAttempt(current, attempt, now, chance);
    if (next.next !== 'again') return { pauses, end: next };
    pauses.push(next.message.dueAt - now);
    [now, current] = [next.message.dueAt, next.message];
  }
}

const asked = (retryAfterMs: number) => afterAttempt(fresh, { ...down, retryAfterMs }, 0, 0);

describe('what becomes of a message after an attempt', () => {
  it('is another one, twice as late each time with half of it by chance, for a day', () => {
    const { pauses, end } = failing(fresh, 1);
    expect(pauses.slice(0, 12)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_800].map((seconds) => seconds * 1_000));
    expect(failing(fresh, 0).pauses.slice(0, 3)).toEqual([500, 1_000, 2_000]);
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThanOrEqual(usualPolicy.ageMs);
    expect(end).toMatchObject({ next: 'dead', reason: expect.stringMatching(/^it answered 503; it was tried \d+ times/) });
    expect(failing(fresh, 0).end).toMatchObject({ next: 'dead', reason: 'it answered 503; it was tried 60 times' });
  });

  it('waits as long as the receiver asks, but no longer than the longest pause', () => {
    expect(asked(90_000)).toMatchObject({ next: 'again', message: { dueAt: 90_000 } });
    expect(asked(1e12)).toMatchObject({ next: 'again', message: { dueAt: usualPolicy.mostMs } });
  });

  it('is nothing when it was taken, and the end when another attempt would come to the same', () => {
    expect(afterAttempt(fresh, { outcome: 'delivered' }, 5, 0)).toEqual({ next: 'done' });
    expect(afterAttempt(fresh, no, 5, 0)).toMatchObject({ next: 'dead', reason: 'it answered 422' });
    expect(afterAttempt(fresh, { outcome: 'dropped' }, 5, 0)).toEqual({ next: 'remove' });
    expect(afterAttempt(fresh, { outcome: 'interrupted' }, 5, 0)).toEqual({ next: 'release' });
  });

  it('is an answer for a hook: a yes, a no at once, or a failure after as many attempts as it says', () => {
    expect(afterAttempt(hook, { outcome: 'delivered' }, 5, 0)).toMatchObject({
      next: 'answered',
      message: { answer: { outcome: 'passed' } },
    });
    expect(afterAttempt(hook, no, 5, 0)).toMatchObject({
      next: 'answered',
      message: { attempts: 1, answer: { outcome: 'failed', reason: 'it answered 422' } },
    });
    const { pauses, end } = failing(hook, 1);
    expect(pauses).toEqual([1_000, 2_000]);
    expect(end).toMatchObject({ next: 'answered', message: { attempts: 3, answer: { outcome: 'failed', reason: 'it answered 503' } } });
    expect('claim' in (end.next === 'answered' ? end.message : {})).toBe(false);
  });
});
