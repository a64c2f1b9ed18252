import type { ServiceState, StageSettings } from './service-state.ts';

const whole: StageSettings = { weight: 100, forMs: 0, approval: false };

/** The stages of a rollout; the last one is the whole. */
export function stagesOf({ settings }: Pick<ServiceState, 'settings'>): readonly StageSettings[] {
  const stages = settings.rollout.stages ?? [];
  return stages.at(-1)?.weight === 100 ? stages : [...stages, whole];
}

/** Instances the candidate needs before it may get this share of all requests: as many as stable would need for it, and one at least. */
export function capacityFor(weight: number, { replicas, settings }: Pick<ServiceState, 'replicas' | 'settings'>): number {
  if (settings.rollout.fullSet === true) return replicas;
  return Math.min(replicas, Math.max(1, Math.ceil((replicas * weight) / 100)));
}
