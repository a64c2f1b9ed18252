import { capacityFor, stagesOf } from './course.ts';
import { armCount, armShare } from './experiment/arms.ts';
import { type ExperimentSettings, plainArm } from './experiment/experiment-state.ts';
import type { RolloutSettings, StageSettings } from './service-state.ts';

/**
 * `canary: 5 % for 10m, 25 % until promoted, then 100 %; 1 to 4 instances more meanwhile; taken back by itself ...`: the way a new release
 * takes, what it costs and what is at risk. Undefined for strategies without stages.
 */
export function rolloutInWords(service: {
  readonly settings: { readonly rollout: RolloutSettings };
  readonly replicas: number;
}): string | undefined {
  const { rollout } = service.settings;
  const { strategy, stages, fullSet, analysis, smoke, keepPreviousMs } = rollout;
  if (stages === undefined && fullSet !== true) return undefined;
  const settings = { rollout, expose: [], calls: [], drainMs: 0 };
  const all = stagesOf({ settings });
  const needs = all.map((stage) => capacityFor(stage.weight, { replicas: service.replicas, settings }) * releasesIn(stage, rollout));
  const [least, most] = [needs[0] ?? 0, Math.max(...needs)];
  const steps = all.map((stage) => (stage.experiment && rollout.experiment ? experimentInWords(rollout.experiment) : stepInWords(stage)));
  const extra = least === most ? `${most}` : `${least} to ${most}`;
  const kept = keepPreviousMs === undefined ? '' : `, and ${service.replicas} kept ready for ${keepPreviousMs / 1_000} s after it`;
  const checks = [...(smoke ? [`a smoke check of ${smoke.path}`] : []), ...(analysis ? ['evidence against it'] : []), 'a failing start'];
  const end = rollout.onFailure === 'hold' && analysis ? 'held' : 'taken back by itself';
  return `${strategy}: ${steps.join(', then ')}; ${extra} ${most === 1 ? 'instance' : 'instances'} more meanwhile${kept}; ${end} at ${checks.join(' or ')}`;
}

function releasesIn({ experiment }: StageSettings, rollout: RolloutSettings): number {
  return experiment && rollout.experiment ? armCount(rollout.experiment) : 1;
}

function stepInWords({ weight, forMs, approval }: StageSettings): string {
  return `${weight} %${forMs > 0 ? ` for ${forMs / 1_000} s` : ''}${approval ? ' until promoted' : ''}`;
}

function experimentInWords(experiment: ExperimentSettings): string {
  const { metric, arms, forMs, onWinner } = experiment;
  const share = `${Number(armShare(experiment).toFixed(2))} %`;
  const end = onWinner === 'promote' ? 'whose winner goes on' : 'until somebody decides';
  return `an experiment on ${metric.goal} ${metric.attribute}=${metric.value} with ${share} each for ${[plainArm, ...arms].join(', ')} for ${forMs / 1_000} s ${end}`;
}
