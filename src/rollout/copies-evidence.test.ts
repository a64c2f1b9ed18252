import { expect, it } from 'vitest';
import { seededRandom, type Random } from '../effects/random.ts';
import { gridBetween, logEvidence } from './evidence/event-process.ts';

const alpha = 0.05;

/** Draws whether each half of a pair fails. */
type Halves = (random: Random) => { readonly copy: boolean; readonly original: boolean };

/** Fails with chance `copy` and `original`; of the failures so many are the request's own, and hit both halves. */
const withChances =
  (copy: number, original: number, shared: number): Halves =>
  (random) => {
    const both = random.next() < Math.min(copy, original) * shared;
    const alone = (chance: number) =>
      random.next() < (chance - Math.min(copy, original) * shared) / (1 - Math.min(copy, original) * shared);
    return { copy: both || alone(copy), original: both || alone(original) };
  };

/** The share of runs that would have been taken back, looked at after every 20 of 1,500 pairs, and the median of pairs it took. */
function takenBack(halves: Halves, tolerate: number, runs: number) {
  const random = seededRandom(3);
  const grid = gridBetween(tolerate * 1.1, tolerate * 100, 20);
  const found: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const events = { chance: 0.5, candidate: 0, stable: 0 };
    for (let pair = 1; pair <= 1_500; pair += 1) {
      const { copy, original } = halves(random);
      events.candidate += Number(copy);
      events.stable += Number(original);
      if (pair % 20 > 0 || logEvidence([events], tolerate, grid) < Math.log(1 / alpha)) continue;
      found.push(pair);
      break;
    }
  }
  return { share: found.length / runs, median: found.toSorted((left, right) => left - right)[Math.floor(found.length / 2)] };
}

it.each([
  ['independent', 0.05, 0.05, 0, 1],
  ['mostly of the request itself', 0.05, 0.05, 0.9, 1],
  ['independent and twice as often, as is tolerated', 0.06, 0.03, 0, 2],
  ['of the request itself and twice as often, as is tolerated', 0.06, 0.03, 0.9, 2],
])('pairs whose failures are %s take back no more than alpha', (_, copy, original, shared, tolerate) => {
  const runs = 250;
  // Three standard deviations above alpha.
  expect(takenBack(withChances(copy, original, shared), tolerate, runs).share).toBeLessThan(alpha + 3 * Math.sqrt((alpha * 0.95) / runs));
});

it('a copy that fails more often is found, whatever the halves have in common', () => {
  const independent = takenBack(withChances(0.06, 0.01, 0), 1, 60);
  const shared = takenBack(withChances(0.06, 0.01, 0.9), 1, 60);
  expect([independent.share, shared.share]).toEqual([1, 1]);
  expect([independent.median, shared.median].every((median = 1_500) => median < 600)).toBe(true);
});
