import { shownVerdict } from './course-verdict.ts';
import { originOf } from './experiment/arms.ts';
import { experimentRecord } from './experiment/experiment-view.ts';
import { verdictInWords } from './evidence/words.ts';
import { revisionOf, type RolloutRecord, type ServiceState } from './service-state.ts';

/** Rollouts of a service that are remembered. */
const mostRecords = 50;

interface Doer {
  readonly by?: string;
  readonly why?: string | undefined;
}

/** `after` with what the change from `before` means for its record of rollouts: one begun, one ended, or neither. Pure. */
export function recorded(before: ServiceState | undefined, after: ServiceState, now: number, who: Doer = {}): ServiceState {
  const [old, candidate] = [before?.candidate, after.candidate];
  if (old && candidate ? originOf(old) === originOf(candidate) : old === candidate) return after;
  const known = after.rollouts ?? [];
  // A set that was kept ready is returned to under the generation it had: that one's own record has its end already.
  const isIts = (record: RolloutRecord): boolean =>
    record.endedAt === undefined && old !== undefined && record.generation === originOf(old);
  const ended = known.map((record) => (isIts(record) ? endOf(record, before, after, now, who) : record));
  const begun = candidate && beginningOf(candidate.generation, after, candidate.startedAt, who);
  return { ...after, rollouts: [...(begun ? [begun] : []), ...ended].slice(0, mostRecords) };
}

function beginningOf(generation: number, state: ServiceState, startedAt: number, { by, why }: Doer): RolloutRecord {
  const revision = revisionOf(state, generation);
  const from = revisionOf(state, state.stable)?.release;
  const because = reasonOf(state, from !== revision?.release);
  return {
    generation,
    release: revision?.release ?? '',
    version: revision?.version ?? '',
    ...(from !== undefined && { from }),
    strategy: state.candidate?.urgent === true ? 'rollback' : state.settings.rollout.strategy,
    ...(because !== undefined && { because }),
    startedAt,
    ...(by !== undefined && { by }),
    ...(why !== undefined && { why }),
  };
}

/** Why it takes the way it takes, where that was chosen for it. */
function reasonOf({ candidate, settings }: ServiceState, isOtherRelease: boolean): string | undefined {
  return candidate?.urgent === true || !isOtherRelease ? undefined : settings.rollout.chosen?.because;
}

function endOf(record: RolloutRecord, before: ServiceState | undefined, after: ServiceState, endedAt: number, { by }: Doer): RolloutRecord {
  // An arm of its experiment may have gone on in its place.
  const generation = before?.candidate?.generation ?? record.generation;
  const isFailed = after.failure?.generation === generation;
  const outcome = after.stable === generation ? 'completed' : isFailed ? 'failed' : 'superseded';
  const experiment = before && experimentRecord(before);
  const verdict = (isFailed ? after.failure?.evidence : undefined) ?? (before && shownVerdict(before, before.candidate?.course));
  return {
    ...record,
    endedAt,
    outcome,
    ...(isFailed && after.failure && { reason: after.failure.reason }),
    ...(by !== undefined && { endedBy: by }),
    release: revisionOf(before ?? after, generation)?.release ?? record.release,
    ...(verdict && { evidence: verdictInWords(verdict) }),
    ...(experiment && { experiment }),
  };
}
