import { stagesOf } from './course.ts';
import { armShare } from './experiment/arms.ts';
import { type ExperimentSettings, plainArm } from './experiment/experiment-state.ts';
import { shareInWords } from './mirroring.ts';
import { lasting } from './rollout-cost.ts';
import type { AnalysisSettings, RolloutSettings, StageSettings } from './service-state.ts';

/** `5 % for 10m, then 25 % until promoted, then 100 %; taken back by itself ...`: the way a new release takes, and what is at risk. */
export function rolloutInWords(rollout: RolloutSettings): string {
  const { stages, fullSet, analysis, smoke, keepPreviousMs, maxSurge, maxUnavailable, baseline, experiment } = rollout;
  const hooks = [rollout, ...(stages ?? [])].flatMap((place) => place.hooks ?? []).filter(({ onFailure }) => onFailure === 'rollback');
  const checks = [
    ...(smoke ? [`a smoke check of ${smoke.path}`] : []),
    ...(analysis ? [`evidence against it${othersOf(analysis)}`] : []),
    ...hooks.map(({ name }) => `a no of the hook ${name}`),
    'a failing start',
  ];
  const end = `${rollout.onFailure === 'hold' && analysis ? 'held' : 'taken back by itself'} at ${checks.join(' or ')}`;
  if (stages === undefined && fullSet !== true) {
    return `a few instances at a time, at most ${maxSurge} more and ${maxUnavailable} fewer than declared; ${end}`;
  }
  const steps = stagesOf({ settings: { rollout, expose: [], calls: [], drainMs: 0 } }).map((stage) =>
    stage.experiment && experiment ? experimentInWords(experiment) : stepInWords(stage, rollout),
  );
  const whole = fullSet === true ? 'a whole second set, then ' : '';
  const beside = baseline === true ? '; compared with fresh instances of the stable release' : '';
  const kept = keepPreviousMs === undefined ? '' : `; the set before is kept ready for ${lasting(keepPreviousMs)}`;
  return `${whole}${steps.join(', then ')}${beside}${kept}; ${end}`;
}

function stepInWords(stage: StageSettings, { fullSet, previewHost }: RolloutSettings): string {
  const { forMs } = stage;
  const previewed = `previewed${previewHost === undefined ? '' : ` at ${previewHost}`}`;
  return `${fullSet === true && stage.weight === 0 ? previewed : shareInWords(stage)}${forMs > 0 ? ` for ${lasting(forMs)}` : ''}${endInWords(stage)}`;
}

function experimentInWords(experiment: ExperimentSettings): string {
  const { metric, arms, forMs, onWinner } = experiment;
  const share = `${Number(armShare(experiment).toFixed(2))} %`;
  const end = onWinner === 'promote' ? 'whose winner goes on' : 'until somebody decides';
  return `an experiment on ${metric.goal} ${metric.attribute}=${metric.value} with ${share} each for ${[plainArm, ...arms].join(', ')} for ${lasting(forMs)} ${end}`;
}

/** What is asked beside the gateway. */
function othersOf({ sources = [] }: AnalysisSettings): string {
  return sources.length === 0 ? '' : `, of ${sources.map(({ name }) => name).join(' and ')} too,`;
}

function endInWords({ approval, passWithinMs }: StageSettings): string {
  if (approval) return ' until promoted';
  return passWithinMs === undefined ? '' : ' until the evidence passes it';
}
