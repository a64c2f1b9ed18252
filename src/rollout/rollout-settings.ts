import { parseDurationMs } from '../stack/fields/duration.ts';
import { parseRatio } from '../stack/fields/ratio.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { experimentSettings } from './experiment/declared-experiment.ts';
import { safeMethods } from './mirroring.ts';
import type { AnalysisSettings, RolloutSettings } from './service-state.ts';

type Declared = ServiceFields['rollout'];

/** A declared rollout as the strategies take it. */
export function rolloutSettings(declared: Declared): RolloutSettings {
  const { strategy, analysis, affinity, smoke, keep_previous } = declared;
  return {
    strategy,
    maxSurge: declared.max_surge,
    maxUnavailable: declared.max_unavailable,
    progressDeadlineMs: parseDurationMs(declared.progress_deadline),
    ...(strategy === 'canary' && { stages: stagesOf(declared), onFailure: declared.on_failure }),
    ...(declared.baseline === true && { baseline: true }),
    ...(strategy === 'blue_green' && { fullSet: true }),
    ...(smoke && { smoke: { path: smoke.path, timeoutMs: parseDurationMs(smoke.timeout) } }),
    ...(keep_previous !== undefined && { keepPreviousMs: parseDurationMs(keep_previous) }),
    ...(affinity && { affinity: affinityOf(affinity) }),
    ...(analysis && { analysis: analysisOf(analysis) }),
    ...(declared.experiment && { experiment: experimentSettings(declared.experiment) }),
  };
}

function stagesOf({ steps = [] }: Declared): NonNullable<RolloutSettings['stages']> {
  return steps.map(({ weight = 0, mirror, methods, for: lasts, approval }) => ({
    weight,
    ...(mirror !== undefined && { mirror: { percent: mirror, methods: methods ?? safeMethods } }),
    forMs: lasts === undefined ? 0 : parseDurationMs(lasts),
    approval,
  }));
}

function affinityOf(affinity: NonNullable<Declared['affinity']>): NonNullable<RolloutSettings['affinity']> {
  if ('cookie' in affinity) return { by: 'cookie', name: affinity.cookie };
  return 'header' in affinity ? { by: 'header', name: affinity.header } : { by: 'user' };
}

function analysisOf(analysis: NonNullable<Declared['analysis']>): AnalysisSettings {
  const { alpha, error_rate, latency, decisions, min_requests, no_data } = analysis;
  return {
    rules: {
      alpha,
      ...(error_rate && { errors: { tolerate: parseRatio(error_rate.tolerate) } }),
      ...(latency && { latency: { quantiles: latency.quantiles } }),
      ...(decisions && { decisions: { attribute: decisions.attribute } }),
      minUnits: min_requests,
    },
    latencyTolerance: latency ? parseRatio(latency.tolerate) : 1,
    noData: no_data,
  };
}
