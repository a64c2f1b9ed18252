import { z } from 'zod';
import { type EvidenceCounts, evidenceCounts, evidenceKey } from '../measuring/counts.ts';
import { addEvidence } from '../measuring/merge.ts';
import type { GatewayCounts } from '../measuring/report.ts';

/**
 * Evidence of one rollout over several lives of the gateway, each of which counts from zero. A plain value to be kept durably: reading the
 * same counts twice, or after a crash, counts nothing twice. What a life counted after it was last read is lost with it.
 */
export const evidenceLedger = z.object({
  epoch: z.string(),
  /** Cumulative, as this life told last. */
  current: evidenceCounts,
  /** Of all lives before it. */
  before: evidenceCounts.optional(),
});
export type EvidenceLedger = z.infer<typeof evidenceLedger>;

/** Undefined while the gateway counts nothing for this id. Counts of other thresholds or another attribute cannot be added: they start anew. */
export function readEvidence(
  ledger: EvidenceLedger | undefined,
  { epoch, evidence }: Pick<GatewayCounts, 'epoch' | 'evidence'>,
  rollout: Pick<EvidenceCounts, 'environment' | 'service' | 'id'>,
): EvidenceLedger | undefined {
  const current = evidence.find(
    ({ environment, service, id }) => environment === rollout.environment && service === rollout.service && id === rollout.id,
  );
  if (current === undefined) return ledger;
  if (ledger === undefined || evidenceKey(ledger.current) !== evidenceKey(current)) return { epoch, current };
  return { ...ledger, epoch, current, ...(epoch !== ledger.epoch && { before: evidenceOf(ledger) }) };
}

/** All that was counted. */
export function evidenceOf({ current, before }: EvidenceLedger): EvidenceCounts {
  return before === undefined ? current : addEvidence(before, current);
}
