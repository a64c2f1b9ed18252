import { seededRandom } from '../../effects/random.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import { countsOf } from '../counted-evidence.ts';
import { judge, type Rules, type Verdict } from '../evidence/judge.ts';
import { type Answers, drawOutcome, latencyAt, ordinaryAnswers } from './answers.ts';
import { cohortsOf } from './cohorts.ts';
import { createCountedTraffic } from './counted-traffic.ts';

/** A canary with affinity among people who come again and again. */
export interface Returning {
  readonly seed: number;
  readonly users: number;
  readonly requestsPerLook: number;
  readonly looks: number;
  /** Shares of the candidate, for equal parts of the looks. */
  readonly steps: readonly number[];
  /** How the candidate answers at a look; undefined: as stable does. */
  readonly candidate?: (look: number) => Answers;
}

export interface Returned {
  /** Of the last look, or of the first that speaks against the candidate or against the split. */
  readonly verdict: Verdict;
  readonly look: number;
}

const quantiles = [0.5, 0.95, 0.99];
const rules: Rules = {
  alpha: 0.05,
  errors: { tolerate: 1 },
  latency: { quantiles },
  decisions: { attribute: 'agent.decision' },
  minUnits: 100,
  of: 'users',
};

/**
 * One rollout, counted by the gateway's own rules and judged at every look. People differ much more than releases do: every fiftieth user's
 * requests fail by a third, and some always wait twice as long.
 */
export function rollOutAmongReturning({ seed, users, requestsPerLook, looks, steps, candidate }: Returning): Returned {
  const random = seededRandom(seed);
  const cohorts = cohortsOf(users);
  const counted = createCountedTraffic();
  const thresholds = quantiles.map((quantile) => latencyAt(ordinaryAnswers, quantile));
  let verdict: Verdict | undefined;
  for (let look = 0; look < looks; look += 1) {
    const route = routeWith(steps[Math.floor((look / looks) * steps.length)] ?? 0, thresholds, seed);
    counted.adopt(route);
    const { draw, users: drawn } = cohorts.draw(route, { requests: requestsPerLook, random });
    for (const [index, who] of drawn.entries()) {
      const answers = (index === 0 ? candidate?.(look) : undefined) ?? ordinaryAnswers;
      for (const user of who) {
        counted.countUnit(index === 0 ? 'r2' : 'r1', draw, cohorts.unitOf(user), drawOutcome(random, answersTo(user, answers)));
      }
    }
    verdict = judge(countsOf(counted.evidence(route.evidence?.id ?? '')?.strata ?? [], { candidate: 'r2', stable: 'r1' }, rules), rules);
    if (verdict.verdict === 'fail' || verdict.verdict === 'error') return { verdict, look };
  }
  return { verdict: verdict ?? judge({ units: [], errors: [], slow: [], decisions: {} }, rules), look: looks };
}

function answersTo(user: number, answers: Answers): Answers {
  return {
    ...answers,
    errorRate: user % 50 === 0 ? Math.max(0.3, answers.errorRate) : answers.errorRate,
    medianMs: user % 7 === 0 ? 2 * answers.medianMs : answers.medianMs,
  };
}

function routeWith(share: number, thresholds: readonly number[], seed: number): ServiceRoute {
  return {
    environment: 'default',
    name: 'agent',
    expose: [],
    calls: [],
    tokenDigests: [],
    health: { intervalMs: 1_000, timeoutMs: 1_000 },
    backends: [
      { release: 'r2', weight: share, instances: [] },
      { release: 'r1', weight: 1 - share, instances: [] },
    ],
    split: { salt: `rollout-${seed}`, affinity: { by: 'user' } },
    evidence: { id: 'rollout', latencyThresholdsMs: thresholds.flatMap((ms) => [ms, ms * 1.2]), attribute: 'agent.decision' },
  };
}
