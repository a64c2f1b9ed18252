import { expect, test } from 'vitest';
import { seededRandom } from '../../effects/random.ts';
import { ratioInterval } from './confidence.ts';
import { gridBetween, logEvidence } from './event-process.ts';
import { logSplitMismatch } from './split-check.ts';
import { addStrata, type Strata } from './strata.ts';
import { binomial } from './traffic-model.ts';

/** The definition, event by event, without logarithms. */
function byDefinition(
  events: readonly { chance: number; candidate: boolean }[],
  nullRatio: number,
  grid: ReturnType<typeof gridBetween>,
): number {
  return grid.reduce((sum, { ratio, weight }) => {
    const product = events.reduce((value, { chance, candidate }) => {
      const bet = candidate ? ratio / nullRatio : 1;
      return (value * bet * (chance * nullRatio + 1 - chance)) / (chance * ratio + 1 - chance);
    }, 1);
    return sum + weight * product;
  }, 0);
}

test('the evidence from sums is the evidence event by event', () => {
  const random = seededRandom(1);
  const grid = gridBetween(1.1, 50, 20);
  const events = Array.from({ length: 200 }, (_, index) => ({ chance: index < 100 ? 0.05 : 0.5, candidate: random.next() < 0.4 }));
  const strata = events.reduce<Strata>(
    (sum, { chance, candidate }) => addStrata(sum, [{ chance, candidate: candidate ? 1 : 0, stable: candidate ? 0 : 1 }]),
    [],
  );
  expect(logEvidence(strata, 1, grid)).toBeCloseTo(Math.log(byDefinition(events, 1, grid)), 10);
});

test('under the hypothesis the evidence is 1 on average', () => {
  const grid = gridBetween(1.1, 50, 20);
  const chance = 0.2;
  // All ways two events can go, with their chances: the mean of E must be exactly 1.
  let mean = 0;
  for (const candidate of [0, 1, 2]) {
    const ways = candidate === 1 ? 2 : 1;
    const likelihood = ways * chance ** candidate * (1 - chance) ** (2 - candidate);
    mean += likelihood * Math.exp(logEvidence([{ chance, candidate, stable: 2 - candidate }], 1, grid));
  }
  expect(mean).toBeCloseTo(1, 12);
});

test('an interval covers the true ratio at every look in at least its share of histories', () => {
  const random = seededRandom(2);
  const histories = 200;
  let missed = 0;
  for (let history = 0; history < histories; history += 1) {
    let strata: Strata = [];
    let covers = true;
    for (let look = 0; look < 30 && covers; look += 1) {
      const chance = look < 15 ? 0.1 : 0.5;
      const units = binomial(random, 500, chance);
      strata = addStrata(strata, [{ chance, candidate: binomial(random, units, 0.03), stable: binomial(random, 500 - units, 0.02) }]);
      const { low, high } = ratioInterval(strata, 0.05);
      covers = low <= 1.5 && 1.5 <= high;
    }
    if (!covers) missed += 1;
  }
  expect(missed / histories).toBeLessThanOrEqual(0.05);
});

test('an interval narrows around the true ratio', () => {
  const { low, high } = ratioInterval([{ chance: 0.5, candidate: 3_000, stable: 2_000 }], 0.05);
  expect(low).toBeGreaterThan(1.3);
  expect(high).toBeLessThan(1.75);
  expect(ratioInterval([], 0.05)).toEqual({ low: 0, high: Number.POSITIVE_INFINITY });
});

test('a split as declared stays unsuspicious and one that is off is found', () => {
  expect(logSplitMismatch([{ chance: 0.1, candidate: 1_000, stable: 9_000 }])).toBeLessThan(Math.log(2));
  expect(logSplitMismatch([{ chance: 0.1, candidate: 1_300, stable: 8_700 }])).toBeGreaterThan(Math.log(1_000));
});

test('a chance of one or none says nothing', () => {
  const strata = [{ chance: 1, candidate: 500, stable: 0 }];
  expect(logEvidence(strata, 1, gridBetween(1.1, 50, 20))).toBeCloseTo(0, 12);
  expect(logSplitMismatch(strata)).toBe(0);
});
