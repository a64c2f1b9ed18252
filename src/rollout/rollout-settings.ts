import { parseDurationMs } from '../stack/fields/duration.ts';
import { parsePercentage } from '../stack/fields/percentage.ts';
import { parseRatio } from '../stack/fields/ratio.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { analysis as language } from '../stack/kinds/service/analysis.ts';
import { hookSettings } from './hooks/hook-settings.ts';
import { experimentSettings } from './experiment/declared-experiment.ts';
import type { LatencyLimit, Rules } from './evidence/judge.ts';
import type { TallyRule } from './evidence/tally.ts';
import { sourceSettings } from './sources/source-settings.ts';
import { safeMethods } from './mirroring.ts';
import type { AnalysisSettings, RolloutSettings } from './service-state.ts';

type Declared = ServiceFields['rollout'];
type Analysis = NonNullable<Declared['analysis']>;

/** Of an analysis that names nothing to compare: what goes wrong in any service. */
const usual = language.parse({ error_rate: {}, latency: {} });

/** How long a step waits for the evidence to pass, unless it says so itself. */
const longestAnalysis = '1h';

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
    ...(strategy === 'blue_green' && { fullSet: true, ...previewOf(declared) }),
    ...hookSettings(declared.hooks),
    ...(smoke && { smoke: { path: smoke.path, timeoutMs: parseDurationMs(smoke.timeout) } }),
    ...(keep_previous !== undefined && { keepPreviousMs: parseDurationMs(keep_previous) }),
    ...(affinity && { affinity: affinityOf(affinity) }),
    ...(analysis && { analysis: analysisOf(analysis) }),
    ...(declared.experiment && { experiment: experimentSettings(declared.experiment) }),
  };
}

function stagesOf({ steps = [] }: Declared): NonNullable<RolloutSettings['stages']> {
  return steps.map(({ weight = 0, mirror, methods, for: lasts, approval, analysis, within = longestAnalysis, hooks }) => ({
    weight,
    ...(mirror !== undefined && { mirror: { percent: mirror, methods: methods ?? safeMethods } }),
    forMs: lasts === undefined ? 0 : parseDurationMs(lasts),
    approval,
    ...(analysis && { passWithinMs: parseDurationMs(within) }),
    ...hookSettings(hooks),
  }));
}

/** Of a preview nothing is counted: no user was drawn for it. */
function previewOf({ preview }: Declared): Pick<RolloutSettings, 'stages' | 'analysis' | 'previewHost'> {
  if (!preview) return {};
  const { host, metrics, no_data: noData, approval } = preview;
  const analysis: AnalysisSettings = {
    rules: { alpha: 1, minUnits: 1 },
    latencyTolerance: 1,
    sources: metrics.map(sourceSettings),
    noData,
  };
  return {
    stages: [{ weight: 0, forMs: parseDurationMs(preview.for), approval }],
    ...(metrics.length > 0 && { analysis }),
    ...(host !== undefined && { previewHost: host }),
  };
}

function affinityOf(affinity: NonNullable<Declared['affinity']>): NonNullable<RolloutSettings['affinity']> {
  if ('cookie' in affinity) return { by: 'cookie', name: affinity.cookie };
  return 'header' in affinity ? { by: 'header', name: affinity.header } : { by: 'user' };
}

function analysisOf(declared: Analysis): AnalysisSettings {
  const { alpha, error_rate, latency, decisions, counts, metrics, min_requests, no_data } = { ...declared, ...judgedBy(declared) };
  const limits = latency && latencyLimits(latency);
  return {
    rules: {
      alpha,
      ...(error_rate && { errors: errorRules(error_rate) }),
      ...(latency && { latency: { quantiles: latency.quantiles, ...(limits && { limits }) } }),
      ...(decisions && { decisions: { attribute: decisions.attribute } }),
      ...(counts.length > 0 && { tallies: counts.map(tallyRule) }),
      minUnits: min_requests,
    },
    latencyTolerance: latency ? parseRatio(latency.tolerate) : 1,
    ...(metrics.length > 0 && { sources: metrics.map(sourceSettings) }),
    noData: no_data,
  };
}

function judgedBy({ error_rate, latency, decisions, counts, metrics }: Analysis): Pick<Analysis, 'error_rate' | 'latency'> {
  const isSaid = error_rate ?? latency ?? decisions ?? counts[0] ?? metrics[0];
  return isSaid === undefined ? { error_rate: usual.error_rate, latency: usual.latency } : { error_rate, latency };
}

function tallyRule({ name, attribute, value, direction, tolerate, negligible }: Analysis['counts'][number]): TallyRule {
  return { name, attribute, value, direction, tolerate: parseRatio(tolerate), negligible: parsePercentage(negligible) };
}

function errorRules({ tolerate, at_most: most, negligible }: NonNullable<Analysis['error_rate']>): NonNullable<Rules['errors']> {
  const rules = { tolerate: parseRatio(tolerate), negligible: parsePercentage(negligible) };
  return { ...rules, ...(most !== undefined && { atMost: parsePercentage(most) }) };
}

/** One limit for all quantiles that are compared, or those that are named: `p99.9`. */
function latencyLimits({ quantiles, at_most: most }: NonNullable<Analysis['latency']>): readonly LatencyLimit[] | undefined {
  if (most === undefined) return undefined;
  if (typeof most === 'string') return quantiles.map((quantile) => ({ quantile, ms: parseDurationMs(most) }));
  return Object.entries(most).map(([name, limit]) => ({
    quantile: Number((Number(name.slice(1)) / 100).toFixed(9)),
    ms: parseDurationMs(limit),
  }));
}
