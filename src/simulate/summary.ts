import type { Course } from './question.ts';

/** Two points of a distribution; null: later than the duration, or never. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
}

/** What came of many rollouts of one kind. */
export interface Summary {
  readonly runs: number;
  /** How many ended in which way. */
  readonly outcomes: Readonly<Record<Course['outcome'], number>>;
  /** Taken back or held: milliseconds from the beginning of the rollout, of all runs. */
  readonly detectedAfterMs: Quantiles;
  /** Until then; where nobody took it back, until the end of the duration. */
  readonly usersExposed: Quantiles;
  readonly failedRequests: Quantiles;
  readonly instanceMinutes: Quantiles;
  /** Instances of each release that were wanted when it began, and at most. */
  readonly replicas: { readonly first: Quantiles; readonly most: Quantiles };
}

export function summaryOf(courses: readonly Course[]): Summary {
  const outcomes = { completed: 0, taken_back: 0, held: 0, unfinished: 0 };
  for (const { outcome } of courses) outcomes[outcome] += 1;
  return {
    runs: courses.length,
    outcomes,
    detectedAfterMs: quantiles(courses.map((course) => (isDetected(course) ? (course.endedAfterMs ?? 0) : Number.POSITIVE_INFINITY))),
    usersExposed: quantiles(courses.map(({ usersExposed }) => usersExposed)),
    failedRequests: quantiles(courses.map(({ failedRequests }) => failedRequests)),
    instanceMinutes: quantiles(courses.map(({ instanceMinutes }) => Math.round(instanceMinutes * 100) / 100)),
    replicas: {
      first: quantiles(courses.map(({ replicas }) => replicas.first)),
      most: quantiles(courses.map(({ replicas }) => replicas.most)),
    },
  };
}

/** Index of the course that is as fast as most: with the median time to its end. */
export function representative(courses: readonly Course[]): number {
  const order = courses.map((_, index) => index);
  const timeOf = (index: number): number => courses[index]?.endedAfterMs ?? Number.POSITIVE_INFINITY;
  return order.toSorted((left, right) => timeOf(left) - timeOf(right) || left - right)[Math.floor((courses.length - 1) / 2)] ?? 0;
}

/** Whether the candidate was stopped before it had everything. */
export function isDetected({ outcome }: Course): boolean {
  return outcome === 'taken_back' || outcome === 'held';
}

/** The least value that so large a part of all does not exceed. */
function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (part: number): number | null => {
    const value = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
    return value === undefined || !Number.isFinite(value) ? null : value;
  };
  return { p50: at(0.5), p95: at(0.95) };
}
