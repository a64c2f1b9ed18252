import { hasStages, stageOf, stagesOf } from '../course.ts';
import { isLive, type ServiceState } from '../service-state.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch, World } from './world.ts';

/** A clock that is set by less is not noticed. */
const correctionMs = 1_000;

/** 4: a stage lasts as long as it is to and is left with the approval it asks for; what is paused does not move. */
export function paceWatch({ check, isPeople }: Witness): Watch {
  let began: { readonly key: string; readonly at: number; readonly jumps: number; readonly lives: number } | undefined;
  return watching({
    stored(before, after, world) {
      const key = after && keyOf(after);
      if (before && after) {
        if (!isPeople() && before.operation === after.operation) checkLeft(before, after, world);
        if (!isPeople()) checkPaused(before, after);
      }
      if (key !== began?.key)
        began = key === undefined ? undefined : { key, at: world.clock.monotonic(), jumps: world.clock.jumps(), lives: world.lives() };
    },
  });

  function checkLeft(before: ServiceState, after: ServiceState, { clock, lives }: World): void {
    const { candidate } = before;
    const course = candidate?.course;
    if (!candidate || !course || !hasStages(before) || stageOf(before, course).experiment) return;
    const stage = Math.min(course.stage, stagesOf(before).length - 1);
    const isDone = after.stable === candidate.generation;
    const next = after.candidate?.generation === candidate.generation ? (after.candidate.course?.stage ?? 0) : undefined;
    if (!isDone && (next === undefined || next <= stage)) return;
    const { forMs, approval } = stageOf(before, course);
    check(!approval || course.approved === true, `4: stage ${stage} was left although nobody has agreed to it`);
    // Who begins anew cannot tell how long the one before was away.
    const jumped = clock.jumps() - (began?.jumps ?? 0);
    if (course.approved === true || (jumped > 0 && began?.lives !== lives())) return;
    const lasted = keyOf(before) === began?.key ? clock.monotonic() - (began?.at ?? 0) : 0;
    check(lasted >= forMs - jumped * correctionMs, `4: stage ${stage} lasted ${lasted} of ${forMs} ms`);
  }

  /** A rollout by instances moves none of them while it is paused, but for those that end by themselves. */
  function checkPaused(before: ServiceState, after: ServiceState): void {
    const { candidate, stable } = before;
    if (!candidate?.paused || !after.candidate?.paused || hasStages(before) || hasStages(after) || after.mode !== 'running') return;
    if (after.candidate.generation !== candidate.generation) return;
    const leaves = before.instances.filter(
      ({ id, generation, phase }) =>
        (generation === stable || generation === candidate.generation) &&
        phase === 'ready' &&
        after.instances.some((instance) => instance.id === id && !isLive(instance)),
    );
    check(leaves.length === 0, `4: ${leaves.map(({ id }) => id).join()} left although the rollout is paused`);
  }
}

/** Names a stage that is in force. */
function keyOf({ candidate }: ServiceState): string | undefined {
  const { stage, inForceSince } = candidate?.course ?? {};
  return inForceSince === undefined ? undefined : `${candidate?.generation}/${stage}`;
}
