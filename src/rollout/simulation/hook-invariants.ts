import { hasStages, replacesAnother, stagesOf } from '../course.ts';
import type { HookSettings } from '../hooks/hook.ts';
import { type Candidate, revisionOf, type ServiceState } from '../service-state.ts';
import { activeOf, routeOfAgent, sharesOf } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch } from './world.ts';

/**
 * 6: nobody goes past a hook that has not agreed, unless it does not matter or somebody goes on without; before it agrees, nothing is sent,
 * to a candidate that was superseded neither.
 */
export function hookWatch({ check, isPeople, answered }: Witness): Watch {
  let current: ServiceState | undefined;
  let began: { readonly generation: number; readonly operation: string } | undefined;
  /** Candidates, superseded ones too, as they were when hooks last stood before their first request. */
  const asked = new Map<number, { readonly state: ServiceState; readonly candidate: Candidate }>();
  return watching({
    stored(before, after) {
      current = after;
      const { candidate: next } = after ?? {};
      if (after && next && next.generation !== began?.generation) began = { generation: next.generation, operation: after.operation };
      // One that is made again counts its generations from the beginning.
      if (!before) {
        answered.clear();
        asked.clear();
      }
      noteAsked(after);
      const candidate = before?.candidate;
      if (!before || !after || !candidate || isPeople() || before.settings.rollout.experiment || !replacesAnother(before)) return;
      checkOverruled(candidate, after);
      const same = after.candidate?.generation === candidate.generation ? after.candidate : undefined;
      const isCompleted = after.stable === candidate.generation;
      if (!hasStages(before)) {
        if (candidate.heldBack === true && same && same.heldBack !== true) agreed(before, candidate, 0, 'before');
        if (isCompleted) agreed(before, candidate, 0, 'after');
        return;
      }
      const { stage = 0, inForceSince } = candidate.course ?? {};
      const [nextStage, nextForce] = [same?.course?.stage ?? 0, same?.course?.inForceSince];
      if (same && nextForce !== undefined && nextForce !== inForceSince) agreed(before, candidate, nextStage, 'before');
      if (isCompleted || (same && nextStage > stage)) agreed(before, candidate, Math.min(stage, stagesOf(before).length - 1), 'after');
    },

    published(world) {
      if (!current) return;
      const state = current;
      const backends = routeOfAgent(world);
      const releaseOf = (generation: number | undefined): string => revisionOf(state, generation)?.release ?? '';
      const stable = releaseOf(state.stable);
      // Where nobody else answers, whoever is there does.
      if (!backends.some((backend) => backend.release === stable && backend.weight > 0 && activeOf(backend) > 0)) return;
      const shares = sharesOf(backends);
      const { candidate } = state;
      const share = shares.get(releaseOf(candidate?.generation)) ?? 0;
      const isHeldBack = candidate?.heldBack === true;
      check(
        !isHeldBack || share === 0,
        `6: ${releaseOf(candidate?.generation)} gets ${share.toFixed(1)} % although its hooks have not agreed`,
      );
      for (const [generation, waiting] of asked) {
        const release = releaseOf(generation);
        // The gateway knows instances by their release: one that may get requests draws them to all of it.
        const isShared = state.instances.some((other) => !asked.has(other.generation) && releaseOf(other.generation) === release);
        if (release !== '' && (shares.get(release) ?? 0) > 0 && !isShared)
          agreed(waiting.state, waiting.candidate, waiting.candidate.course?.stage ?? 0, 'before');
      }
    },
  });

  function noteAsked(state: ServiceState | undefined): void {
    const { candidate, stable } = state ?? {};
    if (stable !== undefined) asked.delete(stable);
    if (!state || !candidate) return;
    // Hooks that were declared on its way come too late to hold it back.
    const isOfOneApply = began?.generation === candidate.generation && began.operation === state.operation;
    if (!isOfOneApply || !replacesAnother(state) || state.settings.rollout.experiment) asked.delete(candidate.generation);
    // One that goes by stages has what its share was checked for when it was decided on.
    else if (hasStages(state) && (candidate.course?.weight ?? 0) > 0) begins(state, candidate);
    else asked.set(candidate.generation, { state, candidate });
  }

  /** It is to get its first requests; a stage that somebody has passed over asks nobody. */
  function begins(state: ServiceState, candidate: Candidate): void {
    const isFirst = asked.delete(candidate.generation);
    if (isFirst && !isPeople()) agreed(state, candidate, Math.min(candidate.course?.stage ?? 0, stagesOf(state).length - 1), 'before');
  }

  function checkOverruled({ generation, course }: Candidate, after: ServiceState): void {
    if (after.candidate?.generation !== generation) return;
    for (const [key, { status }] of Object.entries(after.candidate.course?.hooks ?? {})) {
      const isNew = status === 'overruled' && course?.hooks?.[key]?.status !== 'overruled';
      check(!isNew, `6: the hook ${key} was overruled by nobody`);
    }
  }

  function agreed(state: ServiceState, { generation, course }: Candidate, stage: number, when: HookSettings['when']): void {
    const stages = stagesOf(state);
    const ofStage = (stages[stage]?.hooks ?? []).map((hook) => ({ hook, key: `stage-${stage + 1}/${when}/${hook.name}` }));
    const isEdge = when === 'before' ? stage === 0 : stage === stages.length - 1;
    const ofAll = isEdge ? (state.settings.rollout.hooks ?? []) : [];
    const placed = [...ofStage, ...ofAll.map((hook) => ({ hook, key: `${when === 'before' ? 'start' : 'end'}/${hook.name}` }))];
    for (const { hook, key } of placed) {
      if (hook.when !== when || course?.hooks?.[key]?.status === 'overruled') continue;
      const said = answered.get(`${generation}/${key}`);
      const isFree = said?.has('passed') === true || (hook.onFailure === 'continue' && said?.has('failed') === true);
      check(isFree, `6: ${revisionOf(state, generation)?.release} went past ${key}, which said ${said ? [...said].join() : 'nothing'}`);
    }
  }
}
