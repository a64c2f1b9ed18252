import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../effects/random.ts';
import { comparisonsOf, judgeExperiment, type OutcomeCounts, type OutcomeStratum, ratesBetween } from './experiment.ts';
import { compareRates, rateVerdict } from './rate-comparison.ts';
import { drawOutcomes } from './outcome-model.ts';

const names = ['candidate', 'warm', 'terse'] as const;
const arms = names.map((name) => ({ name, release: name }));
const rules = { alpha: 0.05, goal: 'more', comparisons: comparisonsOf(3) } as const;
const judged = (counts: OutcomeCounts, changed: Partial<{ goal: 'more' | 'fewer' }> = {}) =>
  judgeExperiment(counts, { arms, control: 'stable' }, { ...rules, ...changed });

/** An experiment at 20 % an arm, in one go. */
function seen(random: Random, users: number, rates: Readonly<Record<string, number>>): OutcomeCounts {
  return [drawOutcomes(random, users, { candidate: 0.2, warm: 0.2, terse: 0.2, stable: 0.4 }, rates)];
}

const alike = { candidate: 0.6, warm: 0.6, terse: 0.6, stable: 0.6 };

test('where no arm differs a winner is declared in at most alpha of experiments, looked at all the time, arms withdrawn and rates adrift', () => {
  const random = seededRandom(1);
  const experiments = 2_000;
  let falseWinners = 0;
  let falseFindings = 0;
  for (let experiment = 0; experiment < experiments; experiment += 1) {
    const base = 0.1 + 0.8 * random.next();
    const counts: OutcomeStratum[] = [];
    let [won, found] = [false, false];
    for (let look = 0; look < 6 && !won; look += 1) {
      // From the half on one arm is withdrawn: its share is control's.
      const shares: Record<string, number> =
        look < 3 ? { candidate: 0.2, warm: 0.2, terse: 0.2, stable: 0.4 } : { candidate: 0.2, warm: 0.2, stable: 0.6 };
      const rate = base * (0.5 + 0.5 * Math.cos(look) ** 2);
      counts.push(drawOutcomes(random, 500, shares, { candidate: rate, warm: rate, terse: rate, stable: rate }));
      for (const [at, one] of names.entries()) {
        for (const other of [...names.slice(at + 1), 'stable']) {
          const verdict = rateVerdict(ratesBetween(counts, one, other), rules.alpha / rules.comparisons);
          found ||= verdict !== 'open';
          won ||= other === 'stable' && verdict === 'more';
        }
      }
    }
    if (won) falseWinners += 1;
    if (found) falseFindings += 1;
  }
  expect(falseWinners / experiments).toBeLessThanOrEqual(rules.alpha);
  expect(falseFindings / experiments).toBeLessThanOrEqual(rules.alpha);
});

test('the better arm wins, its interval is above 1, and the others are not taken for it', () => {
  const random = seededRandom(2);
  for (let experiment = 0; experiment < 5; experiment += 1) {
    const finding = judged(seen(random, 20_000, { ...alike, warm: 0.68 }));
    expect(finding).toMatchObject({ outcome: 'winner', winner: 'warm' });
    expect(finding.arms.find(({ arm }) => arm === 'warm')?.interval.low).toBeGreaterThanOrEqual(1);
    expect(finding.arms.filter(({ verdict }) => verdict === 'better').map(({ arm }) => arm)).toEqual(['warm']);
    expect(finding.pairs.find(({ one, other }) => one === 'warm' && other === 'terse')?.verdict).toBe('better');
  }
});

test('of two better arms that cannot be told apart the one with the better rate wins, and it is said', () => {
  const finding = judged(seen(seededRandom(3), 20_000, { ...alike, warm: 0.7, terse: 0.69 }));
  expect(finding.outcome).toBe('winner');
  expect(finding.because).toMatch(/not told apart from (warm|terse)$/);
});

test('where fewer is better the arm with fewer wins', () => {
  const finding = judged(seen(seededRandom(4), 30_000, { candidate: 0.2, warm: 0.2, terse: 0.14, stable: 0.2 }), { goal: 'fewer' });
  expect(finding).toMatchObject({ outcome: 'winner', winner: 'terse' });
});

test('control wins where every arm is worse, and nothing is concluded from nothing', () => {
  const worse = judged(seen(seededRandom(5), 40_000, { candidate: 0.5, warm: 0.5, terse: 0.5, stable: 0.6 }));
  expect(worse).toMatchObject({ outcome: 'control' });
  expect(judged([])).toMatchObject({ outcome: 'no_difference', control: { units: 0, events: 0 } });
});

/** Half of them say nothing. */
const half = (count = 0): number => Math.round(count / 2);

test('an arm whose users say less often what came of it makes the comparison an error', () => {
  const [counts] = seen(seededRandom(6), 20_000, alike);
  const { units = {}, events = {}, shares = {} } = counts ?? {};
  const silent = [{ shares, units: { ...units, warm: half(units['warm']) }, events: { ...events, warm: half(events['warm']) } }];
  expect(judged(silent)).toMatchObject({ outcome: 'error', because: expect.stringContaining('warm') });
});

test('a lift of what happens often is found as soon as that of its rare opposite', () => {
  const random = seededRandom(7);
  const found = { more: 0, fewer: 0 };
  for (let experiment = 0; experiment < 20; experiment += 1) {
    const counts = seen(random, 6_000, { ...alike, stable: 0.9, warm: 0.95 });
    const between = ratesBetween(counts, 'warm', 'stable');
    if (rateVerdict(between, rules.alpha / rules.comparisons) === 'more') found.more += 1;
    const others = between.units.map((stratum, at) => ({
      ...stratum,
      candidate: stratum.candidate - (between.events[at]?.candidate ?? 0),
      stable: stratum.stable - (between.events[at]?.stable ?? 0),
    }));
    if (rateVerdict({ ...between, events: others }, rules.alpha / rules.comparisons) === 'fewer') found.fewer += 1;
  }
  expect(found.more).toBeGreaterThanOrEqual(15);
  expect(Math.abs(found.more - found.fewer)).toBeLessThanOrEqual(3);
});

test('an interval covers the true ratio at every look in at least its share of histories', () => {
  const random = seededRandom(8);
  let missed = 0;
  for (let history = 0; history < 100; history += 1) {
    const counts: OutcomeStratum[] = [];
    let covers = true;
    for (let look = 0; look < 8 && covers; look += 1) {
      counts.push(drawOutcomes(random, 500, { warm: 0.25, stable: 0.75 }, { warm: 0.6, stable: 0.5 }));
      const { low, high } = compareRates(ratesBetween(counts, 'warm', 'stable'), 0.05).interval;
      covers = low <= 1.2 && 1.2 <= high;
    }
    if (!covers) missed += 1;
  }
  expect(missed / 100).toBeLessThanOrEqual(0.05);
});
