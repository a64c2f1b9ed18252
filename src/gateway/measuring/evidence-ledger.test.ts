import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import { createEvidenceLedger } from './evidence-ledger.ts';
import type { EvidenceCounts } from './counts.ts';
import type { EvidenceSnapshot } from './evidence.ts';
import type { WorkerCounts } from './meters.ts';
import { drawn, measured } from './testing/finished.ts';
import { createTotals, type Totals } from './totals.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-ledger-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const draws = [
  { ...drawn({ r2: 0.05, r1: 0.95 }), release: 'r1' },
  { ...drawn({ r2: 0.05, r1: 0.95 }), release: 'r2' },
  { ...drawn({ r2: 0.5, r1: 0.5 }), release: 'r1' },
  { ...drawn({ r2: 0.5, r1: 0.5 }), release: 'r2' },
];
const none: EvidenceCounts = {
  environment: 'test',
  service: 'app',
  id: 'rollout-1',
  thresholdsMs: [50, 200],
  attribute: 'decision',
  strata: [],
  copies: [],
  lost: { units: 0, chances: 0 },
};
const told = (outcomes: readonly number[], direct: EvidenceCounts = none): WorkerCounts => {
  const evidence: EvidenceSnapshot = { counts: direct, outcomes, draws, categoryNames: ['other', 'refund'] };
  return { releases: [], queues: [], evidence: [evidence] };
};
const direct = (units: number): EvidenceCounts => ({
  ...none,
  strata: [{ release: 'r1', probability: 0.95, units, errors: 0, exceedances: [0, 0], categories: {} }],
});
const service = measured(['r2', 'r1'], { attribute: 'decision' });

/** As a process begins that finds this folder. */
function begin({ withTold = true, living = false } = {}): Totals {
  const ledger = createEvidenceLedger(folder, silentLog);
  const totals = createTotals(
    () => 0,
    ledger,
    () => 'life',
  );
  totals.follow([service]);
  const left = ledger.read();
  if (left !== undefined) totals.restore(left, { withTold, isTelling: () => living });
  return totals;
}
const unitsOf = (totals: Totals): number => (totals.total().evidence[0]?.strata ?? []).reduce((sum, { units }) => sum + units, 0);
const strataOf = (totals: Totals): unknown => totals.total().evidence[0]?.strata ?? [];
const lostOf = (totals: Totals): unknown => totals.total().evidence[0]?.lost;

const outcome = fc.tuple(fc.nat(20), fc.nat(3), fc.constantFrom(-1, 10, 60.25, 300), fc.constantFrom(0, 1), fc.constantFrom(-1, 0, 1));

test('who goes on counts as one that was never ended', () => {
  fc.assert(
    fc.property(fc.array(fc.array(outcome, { maxLength: 20 }), { maxLength: 6 }), (batches) => {
      rmSync(folder, { recursive: true, force: true });
      const whole = createTotals(() => 0);
      whole.follow([service]);
      for (const batch of batches) {
        whole.update('worker', told(batch.flat()));
        const ofOneBatch = begin();
        ofOneBatch.update('worker', told(batch.flat()));
        ofOneBatch.total();
      }
      expect(strataOf(begin())).toEqual(strataOf(whole));
    }),
    { numRuns: 40 },
  );
});

test('what workers told stays counted once, whether they tell again, have told a batch twice, or are gone', () => {
  const first = begin();
  first.update('a', { ...told([1, 0, 10, 0, -1], direct(5)), batch: 4 });
  first.update('b', { ...told([], direct(3)), batch: 2 });
  expect(unitsOf(first)).toBe(9);
  const second = begin({ living: true });
  expect(unitsOf(second)).toBe(9);
  const again = [4, 5].map((batch) => ({ batch, of: told([batch * 10, 0, 10, 0, -1]).evidence[0] as EvidenceSnapshot }));
  second.update('a', { ...told([], direct(6)), batch: 5, again });
  expect(unitsOf(second)).toBe(11);
  second.update('a', { ...told([], direct(6)), batch: 5, again });
  second.ended('a');
  expect([unitsOf(second), unitsOf(begin())]).toEqual([11, 11]);
});

test('one that takes over has the units from the ledger, and all else from who hands over, whose later outcomes it counts alone', () => {
  const before = begin();
  before.update('a', told([1, 0, 10, 0, -1], direct(5)));
  before.passUnitsOn();
  before.update('a', told([2, 0, 10, 0, -1], direct(6)));
  const { counts, units } = before.passed();
  expect([counts.evidence[0]?.strata[0]?.units, units.map(({ outcomes }) => outcomes)]).toEqual([6, [[2, 0, 10, 0, -1]]]);
  const after = begin({ withTold: false });
  expect(unitsOf(after)).toBe(1);
  after.update('main', {
    releases: [],
    queues: [],
    evidence: [...told([], counts.evidence[0]).evidence, ...units],
  });
  expect([unitsOf(after), lostOf(after)]).toEqual([8, { units: 0, chances: 0 }]);
});

test('what is damaged or not whole puts the evidence in doubt instead of counting users again', () => {
  const first = begin();
  first.update('a', told([1, 0, 10, 0, -1]));
  first.update('a', told([2, 0, 10, 0, -1]));
  first.total();
  const file = join(folder, readdirSync(folder).find((name) => name.endsWith('.units')) ?? '');
  truncateSync(file, statSync(file).size - 1);
  const second = begin();
  expect([unitsOf(second), lostOf(second)]).toEqual([1, { units: 0, chances: 1 }]);
  second.update('a', told([3, 0, 10, 0, -1]));
  expect(unitsOf(second)).toBe(2);
  writeFileSync(join(folder, 'state.json'), '{"epoch":');
  const third = begin();
  third.update('a', told([1, 0, 10, 0, -1]));
  expect([unitsOf(third), lostOf(third)]).toEqual([1, { units: 0, chances: 1 }]);
});

test('where nobody can look, all may have been counted already', () => {
  rmSync(folder, { recursive: true });
  symlinkSync(folder, folder);
  const totals = begin();
  totals.update('a', told([1, 0, 10, 0, -1]));
  expect([unitsOf(totals), lostOf(totals)]).toEqual([1, { units: 0, chances: 1 }]);
});

test('units of a rollout that is over are forgotten', () => {
  const totals = begin();
  totals.update('a', told([1, 0, 10, 0, -1]));
  totals.total();
  expect(readdirSync(folder)).toHaveLength(2);
  totals.follow([measured(['r1'])]);
  totals.total();
  expect(readdirSync(folder)).toEqual(['state.json']);
});

test('counts of one that hands on no memory of units leave those of units in doubt', () => {
  const totals = begin();
  totals.doubt([direct(5)]);
  totals.update('main', told([], direct(5)));
  expect(lostOf(totals)).toEqual({ units: 0, chances: 0 });
  totals.update('a', told([1, 0, 10, 0, -1]));
  expect(lostOf(totals)).toEqual({ units: 0, chances: 1 });
});
