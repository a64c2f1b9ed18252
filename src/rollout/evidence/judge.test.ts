import { describe, expect, it, test } from 'vitest';
import { type Random, seededRandom } from '../../effects/random.ts';
import { type Counts, judge, type Rules, type Verdict } from './judge.ts';
import { addCounts, noCounts } from './counts.ts';
import { type Behaviour, drawCounts } from './traffic-model.ts';
import { verdictInWords } from './words.ts';

const sound: Behaviour = { errorRate: 0.01, slowRates: [0.5, 0.05, 0.01], decisions: { answer: 0.7, refuse: 0.2, escalate: 0.1 } };
const rules: Rules = {
  alpha: 0.05,
  errors: { tolerate: 1 },
  latency: { quantiles: [0.5, 0.95, 0.99] },
  decisions: { attribute: 'agent.decision' },
  minUnits: 200,
};
const steps = [0.05, 0.25, 0.5] as const;

interface Course {
  readonly looks: number;
  /** Requests of one look. */
  readonly requests: number;
}

/** A rollout over three steps, judged at every look; ends at the first failure. */
function rollOut(random: Random, candidate: Behaviour, { looks, requests }: Course, stable = (_look: number): Behaviour => sound) {
  let counts: Counts = noCounts;
  let verdict: Verdict = judge(counts, rules);
  for (let look = 0; look < looks; look += 1) {
    const now = stable(look);
    const drift = now.errorRate / sound.errorRate;
    const drifted = { ...candidate, errorRate: Math.min(1, candidate.errorRate * drift) };
    const chance = steps[Math.floor((look / looks) * steps.length)] ?? 0.5;
    counts = addCounts(counts, drawCounts(random, requests, chance, now, drifted));
    verdict = judge(counts, rules);
    if (verdict.verdict === 'fail') return { verdict, look, counts };
  }
  return { verdict, look: looks, counts };
}

/** The common error rate swings tenfold: nothing may be learnt from it about the candidate. */
const swinging = (look: number): Behaviour => ({ ...sound, errorRate: 0.01 * (1 + 9 * Math.sin(look / 5) ** 2) });

test('a candidate that is no worse is rarely taken back, however often one looks and however the split and the traffic move', () => {
  const random = seededRandom(7);
  const rollouts = 120;
  let taken = 0;
  for (let rollout = 0; rollout < rollouts; rollout += 1) {
    if (rollOut(random, sound, { looks: 45, requests: 200 }, swinging).verdict.verdict === 'fail') taken += 1;
  }
  expect(taken / rollouts).toBeLessThanOrEqual(0.05);
});

const faults: readonly [string, Behaviour, string][] = [
  ['errors', { ...sound, errorRate: 0.05 }, 'errors'],
  ['a slower tail', { ...sound, slowRates: [0.5, 0.15, 0.06] }, 'latency'],
  ['another mix of decisions', { ...sound, decisions: { answer: 0.5, refuse: 0.4, escalate: 0.1 } }, 'decisions'],
];

test.each(faults)('a candidate with %s fails, and the verdict names it', (_name, candidate, metric) => {
  const random = seededRandom(11);
  for (let rollout = 0; rollout < 20; rollout += 1) {
    const { verdict } = rollOut(random, candidate, { looks: 100, requests: 200 });
    expect(verdict).toMatchObject({ verdict: 'fail', because: expect.stringContaining(metric) });
  }
});

test('a sound candidate passes once enough has been seen', () => {
  const { verdict } = rollOut(seededRandom(3), sound, { looks: 100, requests: 2_000 });
  expect(verdict.verdict).toBe('pass');
});

test('no data is no verdict, and little data is none either', () => {
  expect(judge(noCounts, rules)).toMatchObject({ verdict: 'inconclusive', units: 0 });
  expect(rollOut(seededRandom(5), sound, { looks: 3, requests: 50 }).verdict.verdict).toBe('inconclusive');
});

test('errors that stable has none of are found', () => {
  const clean = { ...sound, errorRate: 0 };
  let counts = noCounts;
  const random = seededRandom(13);
  for (let look = 0; look < 40; look += 1) counts = addCounts(counts, drawCounts(random, 200, 0.1, clean, { ...clean, errorRate: 0.05 }));
  expect(judge(counts, rules)).toMatchObject({ verdict: 'fail', because: expect.stringContaining('errors') });
});

test('requests that do not follow the declared split make the evidence an error, not a failure', () => {
  let counts = noCounts;
  const random = seededRandom(17);
  for (let look = 0; look < 40; look += 1) {
    const { units, ...rest } = drawCounts(random, 500, 0.1, sound, sound);
    counts = addCounts(counts, { ...rest, units: units.map(({ candidate, stable }) => ({ chance: 0.2, candidate, stable })) });
  }
  expect(judge(counts, rules)).toMatchObject({ verdict: 'error', because: expect.stringContaining('proportion') });
});

test('what people see names the ratio, its confidence, what has decided and the requests', () => {
  const { verdict } = rollOut(seededRandom(19), { ...sound, errorRate: 0.02 }, { looks: 20, requests: 500 });
  const [errors] = verdictInWords(verdict);
  expect(errors).toMatch(
    /^errors (\d[\d.]*x to \d[\d.]*x|at (least|most) \d[\d.]*x) of stable \(98\.3%, always valid\), evidence [\d,]+ to 1 against it where 60 suffice, [\d,]+ candidate requests$/,
  );
});

describe('a verdict', () => {
  it.each([
    ['nothing was counted', noCounts],
    [
      'the evidence is overwhelming',
      { ...noCounts, units: [{ chance: 0.5, candidate: 9_000, stable: 9_000 }], errors: [{ chance: 0.5, candidate: 9_000, stable: 0 }] },
    ],
  ])('is the same after it was stored, also when %s', (_, counts) => {
    const verdict = judge(counts, { alpha: 0.05, errors: { tolerate: 1 }, decisions: { attribute: 'decision' }, minUnits: 0 });
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
    expect(verdictInWords(JSON.parse(JSON.stringify(verdict)) as typeof verdict)).toEqual(verdictInWords(verdict));
  });

  it('passes no metric of which nothing was counted', () => {
    const counts = { ...noCounts, units: [{ chance: 0.5, candidate: 9_000, stable: 9_000 }] };
    expect(judge(counts, { alpha: 0.05, decisions: { attribute: 'decision' }, minUnits: 100 }).verdict).toBe('inconclusive');
  });
});

/** A value that moved, beside so many that did not. */
function values(others: number, candidate: number): Counts {
  const even = Array.from({ length: others }, (_, index) => [`even-${index}`, [{ chance: 0.2, candidate: 20, stable: 80 }]] as const);
  return { ...noCounts, decisions: Object.fromEntries([['moved', [{ chance: 0.2, candidate, stable: 100 - candidate }]], ...even]) };
}

test('the interval that is shown of the value that moved most makes up for its having been chosen, and values that come later for their number', () => {
  const asked: Rules = { alpha: 0.05, decisions: { attribute: 'intent' }, minUnits: 1 };
  const [alone, among] = [judge(values(0, 38), asked), judge(values(5, 38), asked)];
  expect([alone.verdict, among.verdict]).toEqual(['fail', 'inconclusive']);
  const [one, other] = [alone.findings[0]?.interval.low ?? 0, among.findings[0]?.interval.low ?? 0];
  expect([one > 1, other < 1, judge(values(5, 42), asked).verdict]).toEqual([true, true, 'fail']);
});
