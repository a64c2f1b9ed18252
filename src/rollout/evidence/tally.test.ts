import { expect, test } from 'vitest';
import { seededRandom } from '../../effects/random.ts';
import { addCounts, noCounts } from './counts.ts';
import { type Counts, judge, type Rules, type Verdict } from './judge.ts';
import type { TallyRule } from './tally.ts';
import { binomial } from './traffic-model.ts';
import { verdictInWords } from './words.ts';

const resolved: TallyRule = { name: 'resolved', attribute: 'outcome', value: 'resolved', direction: 'must_not_fall', tolerate: 1 };
const escalated: TallyRule = { ...resolved, name: 'escalated', value: 'escalated', direction: 'must_not_rise' };
const rules = (tallies: readonly TallyRule[]): Rules => ({ alpha: 0.05, tallies, minUnits: 100 });

/** Judged after every 400 requests, until it fails. */
function rollOut(seed: number, tally: TallyRule, rates: { readonly stable: number; readonly candidate: number }, looks = 15): Verdict {
  const random = seededRandom(seed);
  let counts: Counts = noCounts;
  let verdict = judge(counts, rules([tally]));
  for (let look = 0; look < looks && verdict.verdict !== 'fail'; look += 1) {
    const chance = look < 5 ? 0.1 : 0.5;
    const candidate = binomial(random, 400, chance);
    const of = { candidate: binomial(random, candidate, rates.candidate), stable: binomial(random, 400 - candidate, rates.stable) };
    counts = addCounts(counts, { ...noCounts, units: [{ chance, candidate, stable: 400 - candidate }], tallied: [[{ chance, ...of }]] });
    verdict = judge(counts, rules([tally]));
  }
  return verdict;
}

test('what must not fall fails when it falls, and not when it rises; what must not rise the other way round', () => {
  for (let seed = 1; seed <= 2; seed += 1) {
    expect(rollOut(seed, resolved, { stable: 0.8, candidate: 0.4 })).toMatchObject({
      verdict: 'fail',
      because: 'resolved got worse than is tolerated',
    });
    expect(rollOut(seed, resolved, { stable: 0.4, candidate: 0.8 }).verdict).not.toBe('fail');
    expect(rollOut(seed, escalated, { stable: 0.1, candidate: 0.3 })).toMatchObject({ verdict: 'fail' });
    expect(rollOut(seed, escalated, { stable: 0.3, candidate: 0.1 }).verdict).not.toBe('fail');
  }
});

test('a tolerated change is no failure', () => {
  const findings = Array.from({ length: 15 }, (_, seed) =>
    rollOut(seed, { ...resolved, tolerate: 1.5 }, { stable: 0.6, candidate: 0.4 }, 10),
  );
  expect(findings.filter(({ verdict }) => verdict === 'fail').length).toBeLessThanOrEqual(1);
});

test('without a difference hardly any candidate is taken back, and it passes in the end', () => {
  let failed = 0;
  for (let seed = 0; seed < 100; seed += 1)
    if (rollOut(seed, resolved, { stable: 0.3, candidate: 0.3 }, 40).verdict === 'fail') failed += 1;
  expect(failed).toBeLessThanOrEqual(5);
  const verdict = rollOut(5, resolved, { stable: 0.5, candidate: 0.5 });
  expect(verdict.verdict).toBe('pass');
  expect(verdictInWords(verdict)[0]).toMatch(/^resolved 0\.\d+x to 1\.?\d*x of stable \(95%, always valid\)/);
});
