import type { Random } from '../../effects/random.ts';
import { binomial } from '../evidence/traffic-model.ts';

/** How the requests to a release end, in the modelled world. */
export interface Answers {
  /** Chance of a failure. */
  readonly errorRate: number;
  /** Half of all answers take no longer; milliseconds. */
  readonly medianMs: number;
  /** Standard deviation of the logarithm of how long they take: latencies are log-normal. */
  readonly spread: number;
  /** Chances of decisions by value, which add up to 1; of none where there are no decisions. */
  readonly decisions: Readonly<Record<string, number>>;
}

/** An ordinary agent: p50 250 ms, p95 about 0.8 s, p99 about 1.3 s. */
export const ordinaryAnswers: Answers = {
  errorRate: 0.005,
  medianMs: 250,
  spread: 0.7,
  decisions: { answer: 0.7, clarify: 0.2, escalate: 0.1 },
};

/** What came of some requests that went to one release. */
export interface Outcomes {
  readonly errors: number;
  /** By threshold: how many took longer. */
  readonly exceedances: readonly number[];
  readonly categories: Readonly<Record<string, number>>;
}

/** Draws what comes of `requests` requests: errors, nested exceedances of the thresholds (ms, in any order) and decisions. */
export function drawOutcomes(random: Random, answers: Answers, requests: number, thresholdsMs: readonly number[]): Outcomes {
  const exceedances = thresholdsMs.map(() => 0);
  let [slower, chance] = [requests, 1];
  // What takes longer than the one threshold is among what takes longer than any lower one.
  for (const index of thresholdsMs.map((_, at) => at).toSorted((a, b) => (thresholdsMs[a] ?? 0) - (thresholdsMs[b] ?? 0))) {
    const next = chanceSlower(answers, thresholdsMs[index] ?? 0);
    slower = binomial(random, slower, chance <= 0 ? 0 : Math.min(1, next / chance));
    chance = next;
    exceedances[index] = slower;
  }
  const categories: Record<string, number> = {};
  let [left, mass] = [requests, 1];
  for (const [value, share] of Object.entries(answers.decisions)) {
    const drawn = binomial(random, left, mass <= 0 ? 0 : Math.min(1, share / mass));
    if (drawn > 0) categories[value] = drawn;
    left -= drawn;
    mass -= share;
  }
  return { errors: binomial(random, requests, answers.errorRate), exceedances, categories };
}

/** What came of one request. */
export interface Outcome {
  readonly isError: boolean;
  readonly milliseconds: number;
  /** None where there are no decisions. */
  readonly category: string | undefined;
}

/** As `drawOutcomes`, of one request. */
export function drawOutcome(random: Random, { errorRate, medianMs, spread, decisions }: Answers): Outcome {
  let left = random.next();
  const category = Object.entries(decisions).find(([, share]) => (left -= share) < 0)?.[0];
  // Box and Muller (1958).
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return { isError: random.next() < errorRate, milliseconds: medianMs * Math.exp(spread * normal), category };
}

/** Chance that an answer takes longer than `milliseconds`. */
export function chanceSlower({ medianMs, spread }: Answers, milliseconds: number): number {
  return milliseconds <= 0 ? 1 : upperTail(Math.log(milliseconds / medianMs) / spread);
}

/** Milliseconds that a share of `quantile` of all answers does not exceed; found by halving. */
export function latencyAt({ medianMs, spread }: Answers, quantile: number): number {
  let [low, high] = [-8, 8];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (upperTail(middle) > 1 - quantile) low = middle;
    else high = middle;
  }
  return medianMs * Math.exp(low * spread);
}

/** Milliseconds that answers take on average. */
export function meanMs({ medianMs, spread }: Pick<Answers, 'medianMs' | 'spread'>): number {
  return medianMs * Math.exp((spread * spread) / 2);
}

/**
 * Chance that a normal variable exceeds `z` standard deviations; fractional error below 1.2e-7. Source: erfc by Chebyshev fitting, Press et
 * al., "Numerical Recipes in C", second edition, section 6.2.
 */
function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const fit =
    -1.26551223 +
    t *
      (1.00002368 +
        t *
          (0.37409196 +
            t *
              (0.09678418 +
                t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  const tail = (t * Math.exp(-x * x + fit)) / 2;
  return z >= 0 ? tail : 1 - tail;
}
