import { stagesOf } from './course.ts';
import { armShare } from './experiment/arms.ts';
import { type ExperimentSettings, plainArm } from './experiment/experiment-state.ts';
import { shareInWords } from './mirroring.ts';
import { extraInstances } from './rollout-cost.ts';
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
  const counts = extraInstances(service).map(({ candidate, baseline }) => candidate + baseline);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const steps = all.map((stage) => (stage.experiment && rollout.experiment ? experimentInWords(rollout.experiment) : stepInWords(stage)));
  const beside = rollout.baseline === true ? ', fresh ones of the stable release to compare it with among them' : '';
  const extra = least === most ? `${most}` : `${least} to ${most}`;
  const kept = keepPreviousMs === undefined ? '' : `, and ${service.replicas} kept ready for ${keepPreviousMs / 1_000} s after it`;
  const checks = [...(smoke ? [`a smoke check of ${smoke.path}`] : []), ...(analysis ? ['evidence against it'] : []), 'a failing start'];
  const end = rollout.onFailure === 'hold' && analysis ? 'held' : 'taken back by itself';
  return `${strategy}: ${steps.join(', then ')}; ${extra} ${most === 1 ? 'instance' : 'instances'} more meanwhile${beside}${kept}; ${end} at ${checks.join(' or ')}`;
}

function stepInWords(stage: StageSettings): string {
  const { forMs, approval } = stage;
  return `${shareInWords(stage)}${forMs > 0 ? ` for ${forMs / 1_000} s` : ''}${approval ? ' until promoted' : ''}`;
}

function experimentInWords(experiment: ExperimentSettings): string {
  const { metric, arms, forMs, onWinner } = experiment;
  const share = `${Number(armShare(experiment).toFixed(2))} %`;
  const end = onWinner === 'promote' ? 'whose winner goes on' : 'until somebody decides';
  return `an experiment on ${metric.goal} ${metric.attribute}=${metric.value} with ${share} each for ${[plainArm, ...arms].join(', ')} for ${forMs / 1_000} s ${end}`;
}
