import type { AuditEntry } from '../audit/audit-record.ts';
import type { NewEvent } from '../telemetry/events.ts';
import { type FlagRollout, shareOf } from './flag-rollout.ts';

export type FlagRolloutAct = 'begun' | 'advanced' | 'ended';

/** What the audit log and the events are told of a step. */
export function auditEntry(
  rollout: FlagRollout,
  act: FlagRolloutAct,
  { actor, reason }: { readonly actor: AuditEntry['actor']; readonly reason?: string | undefined },
): { readonly entry: AuditEntry; readonly event: NewEvent } {
  const { id, environment, flag, variant, service, end } = rollout;
  const target = `${environment}/flag/${flag}`;
  const what = end ? `${end.outcome}: ${end.because}` : `${variant} to ${shareOf(rollout)} % of the users`;
  const why = reason ?? rollout.reason;
  return {
    entry: {
      actor,
      action: `flag.rollout.${act}`,
      phase: 'done',
      environment,
      target,
      ...(why !== undefined && { reason: why }),
      details: { rollout: id, service, what },
    },
    event: {
      type: 'flag.changed',
      level: end?.outcome === 'failed' ? 'error' : 'info',
      message: `The rollout of ${variant} by the flag ${flag}: ${what}`,
      environment,
      address: target,
      data: { rollout: id, act, by: actor.name },
    },
  };
}
