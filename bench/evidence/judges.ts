import { addCounts, noCounts } from '../../src/rollout/evidence/counts.ts';
import type { Behaviour } from '../../src/rollout/evidence/traffic-model.ts';
import { type Counts, judge, type Rules } from '../../src/rollout/evidence/judge.ts';
import { totals } from '../../src/rollout/evidence/strata.ts';
import { mannWhitney } from './mann-whitney.ts';

/** Looks at a rollout once per interval; true takes the candidate back. Made anew for every rollout. */
export interface Judge {
  readonly name: string;
  create(): (interval: Counts) => boolean;
}

const rules: Rules = {
  alpha: 0.05,
  errors: { tolerate: 1 },
  latency: { quantiles: [0.5, 0.95, 0.99] },
  decisions: { attribute: 'decision' },
  minUnits: 200,
};

const sluice: Judge = {
  name: 'sluice, alpha 0.05',
  create: () => {
    let counts = noCounts;
    return (interval) => {
      counts = addCounts(counts, interval);
      return judge(counts, rules).verdict === 'fail';
    };
  },
};

const rateOf = (interval: Counts, side: 'candidate' | 'stable'): number | undefined => {
  const units = totals(interval.units)[side];
  return units === 0 ? undefined : totals(interval.errors)[side] / units;
};

/** Taken back once `limit` intervals had a success rate below `lowest`, as metric thresholds of Flagger and Argo Rollouts are configured. */
const threshold = (name: string, lowest: number, limit: number): Judge => ({
  name,
  create: () => {
    let failed = 0;
    return (interval) => {
      const rate = rateOf(interval, 'candidate');
      if (rate !== undefined && 1 - rate < lowest) failed += 1;
      return failed >= limit;
    };
  },
});

/** Kayenta's judge (Mann-Whitney, 98 %) over the error rates of all intervals so far, read at every interval from the fifth on. */
const repeatedMannWhitney: Judge = {
  name: 'Mann-Whitney 98 %, read repeatedly',
  create: () => {
    const [candidate, stable]: [number[], number[]] = [[], []];
    return (interval) => {
      const [one, other] = [rateOf(interval, 'candidate'), rateOf(interval, 'stable')];
      if (one !== undefined && other !== undefined) {
        candidate.push(one);
        stable.push(other);
      }
      return candidate.length >= 5 && mannWhitney(candidate, stable) > zOf98;
    };
  },
};
/** Two-sided 98 %. */
const zOf98 = 2.3263;

export const judges: readonly Judge[] = [
  sluice,
  threshold('success rate below 99 %, 5 times (Flagger)', 0.99, 5),
  threshold('success rate below 95 %, once (Argo Rollouts)', 0.95, 1),
  repeatedMannWhitney,
];

export const sound: Behaviour = {
  errorRate: 0.005,
  slowRates: [0.5, 0.05, 0.01],
  decisions: { answer: 0.7, refuse: 0.2, escalate: 0.1 },
};
