import { expect, test } from 'vitest';
import type { EvidenceCounts } from '../measuring/counts.ts';
import { type EvidenceLedger, evidenceLedger, evidenceOf, readEvidence } from './evidence-ledger.ts';

const rollout = { environment: 'test', service: 'app', id: 'rollout-1' };

function counted(units: number, partial: Partial<EvidenceCounts> = {}): EvidenceCounts {
  const stratum = { release: 'r1', probability: 0.1, units, errors: 1, exceedances: [units], categories: { a: units } };
  return { ...rollout, thresholdsMs: [50], unitWindowMs: 1_000, strata: [stratum], lost: { units: 0, chances: 0 }, ...partial };
}

function after(...told: readonly (readonly [epoch: string, counts: EvidenceCounts])[]): EvidenceLedger {
  const ledger = told.reduce<EvidenceLedger | undefined>(
    (known, [epoch, counts]) =>
      readEvidence(known && evidenceLedger.parse(JSON.parse(JSON.stringify(known))), { epoch, evidence: [counts] }, rollout),
    undefined,
  );
  return ledger as EvidenceLedger;
}

test('evidence goes on over a restart of the gateway, and nothing is counted twice however often it is read', () => {
  const ledger = after(
    ['one', counted(5)],
    ['one', counted(8)],
    ['one', counted(8)],
    ['two', counted(2)],
    ['two', counted(3)],
    ['three', counted(4)],
  );
  expect(evidenceOf(ledger).strata).toEqual([
    { release: 'r1', probability: 0.1, units: 15, errors: 3, exceedances: [15], categories: { a: 15 } },
  ]);
});

test('counts of another threshold are not added, and those of another rollout are not read', () => {
  const changed = after(['one', counted(5)], ['one', counted(2, { thresholdsMs: [60] })]);
  expect(evidenceOf(changed).strata[0]?.units).toBe(2);
  const other = after(['one', counted(5)], ['two', counted(9, { id: 'rollout-2' })], ['two', counted(1)]);
  expect(evidenceOf(other).strata[0]?.units).toBe(6);
});
