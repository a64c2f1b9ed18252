import type { AuditHead, AuditRecord } from './audit-record.ts';
import { digestOf, origin } from './audit-record.ts';

/** What is wrong with an audit log, and from which record on. */
export interface AuditFinding {
  /** The first record that is not as it was written; absent for what concerns the end of the log. */
  readonly sequence?: number;
  readonly problem: string;
}

export interface AuditVerification {
  readonly ok: boolean;
  readonly records: number;
  /** Digest of the last record: who keeps it elsewhere can tell later that nothing before it was touched. */
  readonly head?: string;
  readonly findings: readonly AuditFinding[];
}

export interface AuditEvidence {
  readonly records: readonly AuditRecord[];
  /** The head in the database. */
  readonly head: AuditHead | undefined;
  /** The head outside it, which may lag behind the log by what a crash cut off, and never be ahead of it. */
  readonly outside: AuditHead | 'unreadable' | undefined;
  /** Whether a head's seal was made with the key of this vault. */
  readonly isSealed: (head: AuditHead) => boolean;
}

/** Pure: holds a log against its chain and its two heads. */
export function verifyAudit({ records, head, outside, isSealed }: AuditEvidence): AuditVerification {
  const findings: AuditFinding[] = [];
  let previous = origin;
  for (const [index, record] of records.entries()) {
    const sequence = index + 1;
    if (record.sequence !== sequence) {
      const problem =
        record.sequence > sequence ? `the records ${sequence} to ${record.sequence - 1} are missing` : 'a record stands out of its order';
      findings.push({ sequence, problem });
      break;
    }
    if (record.previous !== previous) {
      findings.push({ sequence, problem: 'it does not follow from the record before it: one of them was changed, moved or removed' });
      break;
    }
    if (digestOf(record) !== record.digest) {
      findings.push({ sequence, problem: 'it was changed after it was written' });
      break;
    }
    if (record.action === discontinuity) {
      const found = record.details?.['problem'];
      findings.push({ sequence, problem: typeof found === 'string' ? found : 'the log was cut' });
    }
    previous = record.digest;
  }
  findings.push(...checkHead('the head in the database', head, records, isSealed, 'exact'));
  if (outside === 'unreadable') findings.push({ problem: 'the head outside the database cannot be read' });
  else findings.push(...checkHead('the head outside the database', outside, records, isSealed, 'may lag'));
  const last = records.at(-1);
  return { ok: findings.length === 0, records: records.length, ...(last && { head: last.digest }), findings };
}

/** Action of the record that says that the log was found shorter than its head outside the database. */
export const discontinuity = 'audit.discontinuity';

export function checkHead(
  what: string,
  head: AuditHead | undefined,
  records: readonly Pick<AuditRecord, 'digest'>[],
  isSealed: (head: AuditHead) => boolean,
  demand: 'exact' | 'may lag',
): readonly AuditFinding[] {
  const count = records.length;
  if (head === undefined) return count === 0 ? [] : [{ problem: `${what} is missing` }];
  if (!isSealed(head)) return [{ problem: `${what} was not sealed with the key of this home` }];
  if (head.count > count) return [{ problem: `the log ends at record ${count}, and ${what} says ${head.count}: its end was cut off` }];
  if (head.count < count && demand === 'exact')
    return [{ problem: `${what} says ${head.count} records, and there are ${count}: some were added` }];
  const digest = head.count === 0 ? origin : records[head.count - 1]?.digest;
  return digest === head.digest ? [] : [{ sequence: head.count, problem: `it is not the record ${what} was sealed over` }];
}
