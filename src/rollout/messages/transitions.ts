import { stageOf, stagesOf } from '../course.ts';
import { newCourse } from '../course-state.ts';
import { originOf } from '../experiment/arms.ts';
import { shareInWords } from '../mirroring.ts';
import { revisionOf, type Candidate, type RolloutRecord, type ServiceState } from '../service-state.ts';
import type { NotificationEvent } from '../../stack/kinds/notification.ts';

/** Something that happened to a rollout between two states of its service, to be told. */
export interface Transition {
  readonly event: NotificationEvent;
  readonly generation: number;
  /** With the generation it names this very occurrence: the same two states give the same. */
  readonly what: string;
  /** What is to be said of it, without its subject: `is held: ...`. */
  readonly message: string;
  readonly reason?: string;
  readonly evidence?: readonly string[];
}

/** What is to be told of the step from one state to the next; both as they are stored. Pure. */
export function transitionsOf(before: ServiceState | undefined, after: ServiceState): readonly Transition[] {
  const [old, candidate] = [before?.candidate, after.candidate];
  if (before && before.mode !== 'removed' && after.mode === 'removed') return old ? [removed(old)] : [];
  // An arm that goes on alone is of the rollout that made it.
  if ((old && originOf(old)) !== (candidate && originOf(candidate))) {
    return [...(old ? endOf(originOf(old), after) : []), ...(candidate ? [beginningOf(candidate, after)] : [])];
  }
  return candidate && old ? alongTheWay(old, candidate, after) : [];
}

function removed(candidate: Candidate): Transition {
  const generation = originOf(candidate);
  const reason = 'the service is being removed';
  return { event: 'superseded', generation, what: 'superseded', message: `is not taken into use: ${reason}`, reason };
}

function beginningOf({ generation, urgent, startedAt }: Candidate, state: ServiceState): Transition {
  const from = revisionOf(state, state.stable)?.release;
  const way = urgent === true ? 'is being returned to' : 'is being rolled out';
  return {
    event: 'started',
    generation,
    what: occurrence('started', urgent === true, startedAt),
    message: from === undefined ? way : `${way}, from ${from}`,
  };
}

function endOf(generation: number, after: ServiceState): readonly Transition[] {
  const record = after.rollouts?.find((each) => each.generation === generation);
  if (!record) return [];
  const known = { generation, ...(record.evidence && { evidence: record.evidence }) };
  if (record.outcome === 'completed') return [{ ...known, ...completion(record) }];
  const what = (event: 'failed' | 'superseded'): string => occurrence(event, record.strategy === 'rollback', record.startedAt);
  if (record.outcome === 'failed') {
    const { reason = 'it gave no reason' } = record;
    return [{ ...known, event: 'failed', what: what('failed'), message: `was not taken into use: ${reason}`, reason }];
  }
  if (record.outcome === undefined) return [];
  const reason = after.candidate ? 'a newer release took its place' : 'the release in use is wanted again';
  return [{ ...known, event: 'superseded', what: what('superseded'), message: `is not taken into use: ${reason}`, reason }];
}

/** A set that was kept is returned to under its old generation, perhaps more than once: each time is another occurrence. */
function occurrence(event: string, isReturn: boolean, startedAt: number): string {
  return isReturn ? `${event}@${startedAt}` : event;
}

function completion({ strategy, startedAt }: RolloutRecord): Pick<Transition, 'event' | 'what' | 'message'> {
  return strategy === 'rollback'
    ? { event: 'rolled_back', what: occurrence('rolled_back', true, startedAt), message: 'is in use again' }
    : { event: 'completed', what: 'completed', message: 'is in use' };
}

function alongTheWay(old: Candidate, candidate: Candidate, state: ServiceState): readonly Transition[] {
  const { generation, paused } = candidate;
  const [was, course] = [
    { ...newCourse, ...old.course },
    { ...newCourse, ...candidate.course },
  ];
  const found: Transition[] = [];
  if (course.inForceSince !== undefined && course.inForceSince !== was.inForceSince) {
    const current = course.stage + 1;
    const message = `gets ${shareInWords(stageOf(state, course))} of the requests: stage ${current} of ${stagesOf(state).length}`;
    found.push({ event: 'stage', generation, what: `stage-${current}@${course.inForceSince}`, message });
  }
  if (paused && old.paused?.since !== paused.since) {
    const { reason, since } = paused;
    const message = `is held: ${reason}`;
    found.push(
      reason === 'waits for approval'
        ? { event: 'approval_needed', generation, what: `approval@${since}`, message: `${reason}: sluice rollout promote ${state.name}` }
        : { event: 'held', generation, what: `held@${since}`, message, reason },
    );
  }
  return found;
}
