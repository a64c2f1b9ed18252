import { armShare } from './experiment/arms.ts';
import { revisionOf, type ServiceState, type StageSettings } from './service-state.ts';

const whole: StageSettings = { weight: 100, forMs: 0, approval: false };

/** The stages of a rollout; the last one is the whole. */
export function stagesOf({ settings }: Pick<ServiceState, 'settings'>): readonly StageSettings[] {
  const stages = withExperiment(settings.rollout);
  return stages.at(-1)?.weight === 100 ? stages : [...stages, whole];
}

/**
 * The experiment comes when the candidate would get more than an arm's share: until then it is only made sure that it is safe, and whoever
 * has seen the candidate goes on seeing it.
 */
function withExperiment({ stages = [], experiment }: ServiceState['settings']['rollout']): readonly StageSettings[] {
  if (!experiment) return stages;
  const weight = armShare(experiment);
  const before = stages.filter((stage) => stage.weight <= weight).length;
  return [...stages.slice(0, before), { weight, forMs: experiment.forMs, approval: false, experiment: true }, ...stages.slice(before)];
}

/** Whether the rollout under way goes by stages, and not as fast as capacity allows. */
export function hasStages(state: Pick<ServiceState, 'candidate' | 'stable' | 'settings' | 'revisions'>): boolean {
  return goesByStages(state.settings) && replacesAnother(state);
}

/**
 * Whether another release is to take the place of the one in use: neither a first one nor a return, and no restart, beside which there is
 * nothing to compare and about which nobody has anything to decide.
 */
export function replacesAnother(state: Pick<ServiceState, 'candidate' | 'stable' | 'revisions'>): boolean {
  const { candidate, stable } = state;
  if (!candidate || candidate.urgent === true || stable === undefined) return false;
  return revisionOf(state, candidate.generation)?.release !== revisionOf(state, stable)?.release;
}

/** Whether this is the way of canary and blue/green. */
export function goesByStages({ rollout }: ServiceState['settings']): boolean {
  return rollout.stages !== undefined || rollout.fullSet === true;
}

/** The stage that is in force or being prepared. */
export function stageOf(state: Pick<ServiceState, 'settings'>, { stage }: { readonly stage: number }): StageSettings {
  const stages = stagesOf(state);
  return stages[Math.min(stage, stages.length - 1)] as StageSettings;
}

/**
 * Instances the candidate has at a stage (by index): what the stage needs, copies counting as requests, and no fewer than a stage before it
 * needed, as it will need them again.
 */
export function capacityAt(state: Pick<ServiceState, 'replicas' | 'settings'>, stage: number): number {
  const needed = stagesOf(state)
    .slice(0, stage + 1)
    .map(({ weight, mirror }) => capacityFor(Math.max(weight, mirror?.percent ?? 0), state));
  return Math.max(...needed);
}

/** Instances the candidate needs before it may get this share of all requests: as many as stable would need for it, and one at least. */
export function capacityFor(weight: number, { replicas, settings }: Pick<ServiceState, 'replicas' | 'settings'>): number {
  if (settings.rollout.fullSet === true) return replicas;
  return Math.min(replicas, Math.max(1, Math.ceil((replicas * weight) / 100)));
}
