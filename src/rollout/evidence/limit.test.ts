import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../effects/random.ts';
import { addCounts, noCounts } from './counts.ts';
import { type Counts, judge, type Rules } from './judge.ts';
import { withinLimit } from './limit.ts';
import { logEvidence } from './event-process.ts';
import { above } from './finding.ts';
import { binomial } from './traffic-model.ts';
import { verdictInWords } from './words.ts';

const alpha = 0.05;
const bets = above(1);

/** Whether a candidate is ever found to be above `limit`, looked at every `perLook` requests. */
function isEverFound(random: Random, limit: number, rateAt: (look: number) => number, looks = 20, perLook = 50): boolean {
  let events = 0;
  for (let look = 1; look <= looks; look += 1) {
    events += binomial(random, perLook, rateAt(look));
    const units = look * perLook;
    if (logEvidence([{ chance: limit, candidate: events, stable: units - events }], 1, bets) >= Math.log(1 / alpha)) return true;
  }
  return false;
}

test.each([
  ['stays exactly at the limit', (_look: number) => 0.02],
  ['moves below the limit and up to it', (look: number) => 0.02 * Math.sin(look / 7) ** 2],
])('a candidate whose rate %s is found to be above it in at most alpha of thousands of runs', (_name, rateAt) => {
  const random = seededRandom(23);
  const runs = 2_000;
  let found = 0;
  for (let run = 0; run < runs; run += 1) if (isEverFound(random, 0.02, rateAt)) found += 1;
  expect(found / runs).toBeLessThanOrEqual(alpha);
});

test('a candidate above the limit is found', () => {
  const random = seededRandom(29);
  const missed = Array.from({ length: 50 }, () => isEverFound(random, 0.02, () => 0.08)).filter((found) => !found);
  expect(missed).toEqual([]);
});

test('under the hypothesis the evidence is 1 on average', () => {
  const limit = 0.1;
  let mean = 0;
  for (const events of [0, 1, 2, 3]) {
    const ways = [1, 3, 3, 1][events] ?? 0;
    const strata = [{ chance: limit, candidate: events, stable: 3 - events }];
    mean += ways * limit ** events * (1 - limit) ** (3 - events) * Math.exp(logEvidence(strata, 1, bets));
  }
  expect(mean).toBeCloseTo(1, 12);
});

const rules: Rules = {
  alpha,
  errors: { tolerate: 1, atMost: 0.02 },
  latency: { quantiles: [], limits: [{ quantile: 0.95, ms: 800 }] },
  minUnits: 100,
};
const counted = (errors: number, late: number, units: number, ofStable = 0): Counts => ({
  ...noCounts,
  units: [{ chance: 0.5, candidate: units, stable: units }],
  errors: [{ chance: 0.5, candidate: errors, stable: ofStable }],
  late: [[{ chance: 0.5, candidate: late, stable: 0 }]],
});

test('errors that stable has just as many of fail all the same when they are more than is allowed at most', () => {
  const verdict = judge(counted(100, 0, 1_000, 100), { ...rules, latency: { quantiles: [0.5] } });
  expect(verdict).toMatchObject({ verdict: 'fail', because: 'errors: more than is allowed at most' });
  expect(verdictInWords(verdict)[1]).toMatch(
    /^errors of [\d.]+% to 1\d% of requests, at most 2% allowed \(98\.3%, always valid\), evidence over 1,000,000 to 1 against it where 60 suffice, 1,000 candidate/,
  );
});

test('a quantile above its limit is named with what it may be, and one within is passed', () => {
  const slow = judge(counted(0, 150, 1_000), { ...rules, latency: { quantiles: [0.95], limits: [{ quantile: 0.95, ms: 800 }] } });
  expect(slow.verdict).toBe('fail');
  expect(verdictInWords(slow).join('\n')).toMatch(/latency p95 over 800 ms: 1\d% to \d\d% of requests, at most 5% allowed/);
  expect(withinLimit('latency', [{ rate: 0.05, events: 5, units: 1_000 }], alpha).verdict).toBe('pass');
});

test('errors that neither release has are shown to be negligible, in time', () => {
  const errors = { tolerate: 1, negligible: 0.01 };
  expect(judge(counted(0, 0, 200), { alpha, errors, minUnits: 100 })).toMatchObject({
    verdict: 'inconclusive',
    because: 'nothing is shown yet about errors',
  });
  expect(judge(counted(0, 0, 1_000), { alpha, errors, minUnits: 100 }).verdict).toBe('pass');
  expect(judge(counted(10, 0, 1_000, 10), { alpha, errors, minUnits: 100 }).verdict).toBe('inconclusive');
});

test('alpha is shared by all that is judged, and no data passes nothing', () => {
  const verdict = judge(counted(0, 0, 0), { ...rules, latency: { quantiles: [0.5], limits: [{ quantile: 0.95, ms: 800 }] } });
  expect(verdict).toMatchObject({
    verdict: 'inconclusive',
    findings: Array.from({ length: 4 }, () => ({ bar: 80, verdict: 'inconclusive' })),
  });
  expect(verdictInWords(verdict)[1]).toContain('errors of 0% to 100% of requests');
});

test('what was counted before and after a restart of the gateway is one, also where an older version had counted less', () => {
  const { late: _, ...older } = counted(1, 0, 10);
  expect(addCounts(older, counted(2, 3, 10))).toMatchObject({ late: [[{ candidate: 3 }]], errors: [{ candidate: 3 }] });
});
