import { expect, it } from 'vitest';
import type { Course } from './question.ts';
import { representative, summaryOf } from './summary.ts';

const course = (endedAfterMs: number | undefined, outcome: Course['outcome'] = 'taken_back'): Course => ({
  outcome,
  byEvidence: true,
  ...(endedAfterMs !== undefined && { endedAfterMs }),
  usersExposed: endedAfterMs ?? 1_000,
  requestsExposed: 0,
  failedRequests: 0,
  instanceMinutes: 1.234,
  replicas: { first: 2, most: 3 },
});

it('counts a fault that is not found as found never, not as left out', () => {
  const courses = [course(10), course(30), course(undefined, 'unfinished'), course(5, 'completed')];
  expect(summaryOf(courses)).toMatchObject({
    runs: 4,
    outcomes: { taken_back: 2, held: 0, unfinished: 1, completed: 1 },
    detectedAfterMs: { p50: 30, p95: null },
    usersExposed: { p50: 10, p95: 1_000 },
    instanceMinutes: { p50: 1.23, p95: 1.23 },
    replicas: { first: { p50: 2 }, most: { p95: 3 } },
  });
});

it('shows the rollout with the median end', () => {
  expect(representative([course(50), course(10), course(30)])).toBe(2);
  expect(representative([course(undefined), course(10), course(undefined)])).toBe(0);
});
