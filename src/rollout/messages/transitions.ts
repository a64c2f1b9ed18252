import { stageOf, stagesOf } from '../course.ts';
import { newCourse } from '../course-state.ts';
import { waitsForApproval } from '../rollout-outcome.ts';
import { shareInWords } from '../mirroring.ts';
import { originOf } from '../experiment/arms.ts';
import { revisionOf, type Candidate, type ServiceState } from '../service-state.ts';
import type { NotificationEvent } from '../../stack/kinds/notification.ts';

/** Something that happened to a rollout between two states of its service, to be told. */
export interface Transition {
  readonly event: NotificationEvent;
  /** Under which the rollout began: that of its record. */
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
  if ((old && originOf(old)) !== (candidate && originOf(candidate))) {
    return [...(old ? endOf(old, after) : []), ...(candidate ? [beginningOf(candidate, after)] : [])];
  }
  return candidate && old ? alongTheWay(old, candidate, after) : [];
}

function removed(candidate: Candidate): Transition {
  const reason = 'the service is being removed';
  const what = `superseded@${candidate.startedAt}`;
  return { event: 'superseded', generation: originOf(candidate), what, message: `is not taken into use: ${reason}`, reason };
}

function beginningOf({ generation, urgent, startedAt }: Candidate, state: ServiceState): Transition {
  const from = revisionOf(state, state.stable)?.release;
  const way = urgent === true ? 'is being returned to' : 'is being rolled out';
  return { event: 'started', generation, what: `started@${startedAt}`, message: from === undefined ? way : `${way}, from ${from}` };
}

/** A set that is kept ready is returned to under the generation it had: what tells two rollouts of it apart is when they began. */
function endOf(old: Candidate, after: ServiceState): readonly Transition[] {
  const generation = originOf(old);
  const record = after.rollouts?.find((each) => each.generation === generation);
  if (!record) return [];
  const known = (event: NotificationEvent) => ({
    event,
    generation,
    what: `${event}@${old.startedAt}`,
    ...(record.evidence && { evidence: record.evidence }),
  });
  if (record.outcome === 'completed') {
    return record.strategy === 'rollback'
      ? [{ ...known('rolled_back'), message: 'is in use again' }]
      : [{ ...known('completed'), message: 'is in use' }];
  }
  if (record.outcome === 'failed') {
    const { reason = 'it gave no reason' } = record;
    return [{ ...known('failed'), message: `was not taken into use: ${reason}`, reason }];
  }
  if (record.outcome === undefined) return [];
  const reason = after.candidate ? 'a newer release took its place' : 'the release in use is wanted again';
  return [{ ...known('superseded'), message: `is not taken into use: ${reason}`, reason }];
}

function alongTheWay(old: Candidate, candidate: Candidate, state: ServiceState): readonly Transition[] {
  const { paused, arm } = candidate;
  const generation = originOf(candidate);
  const [was, course] = [
    { ...newCourse, ...old.course },
    { ...newCourse, ...candidate.course },
  ];
  const found: Transition[] = [];
  const goesOn = resumption(old, candidate, state);
  if (goesOn !== undefined)
    found.push({ event: 'resumed', generation, what: `resumed@${old.paused?.since ?? `arm-${arm}`}`, message: goesOn });
  // A clock that was set moves the time of a stage, which is the same one.
  const isSameStage = was.inForceSince !== undefined && was.stage === course.stage && was.weight === course.weight;
  if (course.inForceSince !== undefined && !isSameStage) {
    const current = course.stage + 1;
    const stage = stageOf(state, course);
    const isPreview = state.settings.rollout.fullSet === true && stage.weight === 0;
    const what = isPreview ? 'stands ready to be previewed' : `gets ${shareInWords(stage)} of the requests`;
    const message = `${what}: stage ${current} of ${stagesOf(state).length}`;
    found.push({ event: 'stage', generation, what: `stage-${current}@${course.inForceSince}`, message });
  }
  if (paused && old.paused?.since !== paused.since) {
    const { reason, since } = paused;
    const message = `is held: ${reason}`;
    found.push(
      reason === waitsForApproval
        ? { event: 'approval_needed', generation, what: `approval@${since}`, message: `${reason}: sluice rollout promote ${state.name}` }
        : { event: 'held', generation, what: `held@${since}`, message, reason },
    );
  }
  return found;
}

/** What it goes on with, where it was held or an arm of its experiment has taken its place; an approval is told by what follows from it. */
function resumption(old: Candidate, { paused, arm, generation }: Candidate, state: ServiceState): string | undefined {
  if (arm !== undefined && old.arm !== arm) return `goes on as ${revisionOf(state, generation)?.release}, the arm ${arm} of its experiment`;
  if (!old.paused || paused || old.paused.reason === waitsForApproval) return undefined;
  return `goes on: it was held, ${old.paused.reason}`;
}
