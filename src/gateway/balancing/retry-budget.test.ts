import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRetryBudget, type RetryBudget } from './retry-budget.ts';

function withdrawals(budget: RetryBudget, now: number, tries = 1_000): number {
  let made = 0;
  for (let index = 0; index < tries; index += 1) if (budget.withdraw(now)) made += 1;
  return made;
}

describe('a retry budget', () => {
  test('is a share of the requests of the last ten seconds and three retries a second', () => {
    const budget = createRetryBudget(0.2);
    for (let index = 0; index < 100; index += 1) budget.deposit(50_000);
    expect(withdrawals(budget, 50_000)).toBe(20 + 30);
    expect(withdrawals(budget, 59_999)).toBe(0);
    expect(withdrawals(budget, 60_000)).toBe(30);
  });

  test('is there for a service without requests, and not at all with a share of nothing', () => {
    expect(withdrawals(createRetryBudget(0.2), 7)).toBe(30);
    const none = createRetryBudget(0);
    none.deposit(0);
    expect(withdrawals(none, 0)).toBe(0);
  });

  test('never allows more in ten seconds than it says, whatever comes when', () => {
    const step = fc.record({ afterMs: fc.nat(4_000), requests: fc.nat(20), retries: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(1 / 16, 1 / 8, 1 / 4, 1 / 2, 1), (steps, share) => {
        const budget = createRetryBudget(share);
        const done: { second: number; requests: number; retries: number }[] = [];
        let now = 0;
        for (const { afterMs, requests, retries } of steps) {
          now += afterMs;
          for (let index = 0; index < requests; index += 1) budget.deposit(now);
          const second = Math.floor(now / 1_000);
          const recent = done.filter((each) => each.second > second - 10);
          const sum = (of: (each: (typeof done)[number]) => number): number => recent.reduce((total, each) => total + of(each), 0);
          const allowed = Math.floor((sum((each) => each.requests) + requests) * share + 30 - sum((each) => each.retries));
          const made = withdrawals(budget, now, retries);
          expect(made).toBe(Math.min(retries, Math.max(0, allowed)));
          done.push({ second, requests, retries: made });
        }
      }),
    );
  });
});
