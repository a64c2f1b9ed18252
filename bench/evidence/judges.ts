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

const sluice = (name: string, asked: Rules): Judge => ({
  name,
  create: () => {
    let counts = noCounts;
    return (interval) => {
      counts = addCounts(counts, interval);
      return judge(counts, asked).verdict === 'fail';
    };
  },
});

/** What other tools look at is a minute, of which an interval is a quarter: of less traffic than that no rate says anything. */
const byMinute = (of: Judge): Judge => ({
  name: of.name,
  create: () => {
    const look = of.create();
    let [intervals, minute] = [0, noCounts];
    return (interval) => {
      minute = addCounts(minute, interval);
      intervals += 1;
      if (intervals % 4 > 0) return false;
      const isFound = look(minute);
      minute = noCounts;
      return isFound;
    };
  },
});

const rateOf = (interval: Counts, side: 'candidate' | 'stable'): number | undefined => {
  const units = totals(interval.units)[side];
  return units === 0 ? undefined : totals(interval.errors)[side] / units;
};

/** Taken back once `limit` minutes had a success rate below `lowest`: metric thresholds as in the documentation of Flagger and of Argo Rollouts. */
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

/** Kayenta's judge (Mann-Whitney, 98 %) over the error rates of all minutes so far, read at every one from the fifth on. */
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
  sluice('sluice, alpha 0.05', rules),
  sluice('sluice, errors alone', { alpha: rules.alpha, errors: { tolerate: 1 }, minUnits: rules.minUnits }),
  // `request-success-rate`, min 99, interval 1m, threshold 5.
  byMinute(threshold('below 99 % in 5 minutes (Flagger)', 0.99, 5)),
  // `successCondition: result[0] >= 0.95`, `failureLimit: 3`: the fourth one fails it.
  byMinute(threshold('below 95 % in 4 minutes (Argo Rollouts)', 0.95, 4)),
  byMinute(repeatedMannWhitney),
];

export const sound: Behaviour = {
  errorRate: 0.005,
  slowRates: [0.5, 0.05, 0.01],
  decisions: { answer: 0.7, refuse: 0.2, escalate: 0.1 },
};
