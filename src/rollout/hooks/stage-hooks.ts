import { replacesAnother, stagesOf } from '../course.ts';
import { newCourse } from '../course-state.ts';
import type { ServiceState } from '../service-state.ts';
import type { HookRun, HookSettings } from './hook.ts';

/** A hook in its place on the way of a rollout. */
export interface PlacedHook {
  /** `start/NAME`, `stage-2/before/NAME`, `stage-2/after/NAME` or `end/NAME`: its name within the rollout. Stages count from 1. */
  readonly key: string;
  readonly when: 'start' | 'before' | 'after' | 'end';
  readonly settings: HookSettings;
}

/** The hooks that stand before the share of a stage (index from 0), or between it and what follows. */
export function hooksAt(state: Pick<ServiceState, 'settings'>, stage: number, when: HookSettings['when']): readonly PlacedHook[] {
  const stages = stagesOf(state);
  const ofRollout = (state.settings.rollout.hooks ?? []).filter((hook) => hook.when === when);
  const ofStage = (stages[stage]?.hooks ?? []).filter((hook) => hook.when === when);
  const placed = ofStage.map((settings): PlacedHook => ({ key: `stage-${stage + 1}/${when}/${settings.name}`, when, settings }));
  if (when === 'before') return [...(stage === 0 ? placedAt('start', ofRollout) : []), ...placed];
  return [...placed, ...(stage === stages.length - 1 ? placedAt('end', ofRollout) : [])];
}

function placedAt(when: 'start' | 'end', hooks: readonly HookSettings[]): readonly PlacedHook[] {
  return hooks.map((settings) => ({ key: `${when}/${settings.name}`, when, settings }));
}

/** The hooks whose answer is waited for now, each with how far it is; none of a service that is not to run. */
export function dueHooks(state: ServiceState | undefined): readonly (PlacedHook & { readonly run: HookRun })[] {
  const { candidate } = state ?? {};
  if (!state || !candidate?.course?.hooks || state.mode !== 'running' || !replacesAnother(state)) return [];
  const { stage, hooks } = { ...newCourse, ...candidate.course };
  return (['before', 'after'] as const)
    .flatMap((when) => hooksAt(state, stage, when))
    .flatMap((placed) => {
      const run = hooks?.[placed.key];
      return run?.status === 'due' ? [{ ...placed, run }] : [];
    });
}
