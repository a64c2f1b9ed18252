import type { HookSettings } from '../hooks/hook.ts';
import type { AnalysisSettings, RolloutSettings, StageSettings } from '../service-state.ts';
import type { SourceSettings } from '../sources/source.ts';
import { changes } from './auto-choice.ts';
import { hookNames } from './hook-receiver.ts';
import { sourceNames } from './measured-sources.ts';
import { smokePath } from './memory-workloads.ts';
import type { Draw } from './random-draw.ts';
import type { Deployment } from './action.ts';

/** How a release is to come into use, drawn. `isJudged`: evidence and further sources may stand in its way. */
export function randomRollout(
  draw: Draw,
  strategy: 'rolling' | 'canary' | 'blue_green' | 'experiment' | 'auto',
  isJudged: boolean,
): Pick<Deployment, 'strategy' | 'rollout' | 'auto'> {
  switch (strategy) {
    case 'rolling':
      return { strategy, rollout: rolledHooks(draw, isJudged) };
    case 'canary':
      return { strategy, rollout: canary(draw, isJudged) };
    case 'blue_green':
      return { strategy, rollout: { ...blueGreen(draw, isJudged), ...hooks(draw, isJudged) } };
    case 'experiment':
      return { strategy, rollout: experiment(draw) };
    case 'auto':
      break;
  }
  return { strategy: 'rolling', auto: draw.one(changes) };
}

function canary(draw: Draw, isJudged: boolean): Partial<RolloutSettings> {
  const weights = Array.from({ length: draw.whole(1, 3) }, () => draw.one([0, 1, 5, 10, 25, 50, 75, 100])).toSorted((a, b) => a - b);
  const stages = weights.map((weight) => stage(draw, weight, isJudged));
  const isCompared = isJudged && draw.chance(0.8);
  const copied: StageSettings = {
    weight: 0,
    mirror: { percent: draw.one([10, 60, 100]), methods: ['GET'] },
    forMs: 1_000,
    approval: false,
  };
  return {
    stages: isCompared && draw.chance(0.2) ? [copied, ...stages] : stages,
    onFailure: draw.chance(0.15) ? 'hold' : 'rollback',
    ...(draw.chance(0.5) && { affinity: draw.one([{ by: 'user' }, { by: 'cookie', name: 'session' }] as const) }),
    ...(isCompared && { analysis: analysis(draw), ...(draw.chance(0.2) && { baseline: true }) }),
    ...hooks(draw, isJudged),
  };
}

function stage(draw: Draw, weight: number, isJudged: boolean): StageSettings {
  return {
    weight,
    forMs: draw.one(isJudged ? [0, 1_000, 3_000, 8_000] : [0, 1_000, 2_000]),
    approval: draw.chance(0.1),
    ...(isJudged && draw.chance(0.15) && { hooks: [hook(draw)] }),
  };
}

function hooks(draw: Draw, isJudged: boolean): Partial<RolloutSettings> {
  return isJudged && draw.chance(0.15) ? { hooks: [hook(draw)] } : {};
}

/** Of one that is rolled it is nearly always the hooks that can stand in its way. */
function rolledHooks(draw: Draw, isJudged: boolean): Partial<RolloutSettings> {
  return isJudged && draw.chance(0.5) ? { hooks: [hook(draw), ...(draw.chance(0.3) ? [hook(draw)] : [])] } : {};
}

function hook(draw: Draw): HookSettings {
  return {
    name: draw.one(hookNames),
    url: 'http://127.0.0.1/',
    timeoutMs: 500,
    retries: 1,
    onFailure: draw.one(['rollback', 'hold', 'continue']),
    when: draw.one(['before', 'after']),
  };
}

function analysis(draw: Draw): AnalysisSettings {
  const metrics = draw.whole(1, 7);
  return {
    rules: {
      alpha: 0.05,
      ...((metrics & 1) !== 0 && { errors: { tolerate: 1 } }),
      ...((metrics & 2) !== 0 && { latency: { quantiles: [0.5, 0.95] } }),
      ...((metrics & 4) !== 0 && { decisions: { attribute: 'decision' } }),
      minUnits: draw.one([1, 20, 100]),
    },
    latencyTolerance: 1.2,
    noData: draw.one(['hold', 'hold', 'rollback', 'continue']),
    ...(draw.chance(0.3) && { sources: [source(draw)] }),
  };
}

function source(draw: Draw): SourceSettings {
  return {
    name: draw.one(sourceNames),
    ask: { type: 'command', command: ['check'] },
    intervalMs: draw.one([500, 2_000]),
    timeoutMs: 1_000,
    failures: draw.whole(0, 1),
    errors: draw.whole(0, 2),
  };
}

/** Arms that are alike, but for what happens to be their release, and one that never stays up. */
function experiment(draw: Draw): Partial<RolloutSettings> {
  return {
    strategy: 'canary',
    stages: [stage(draw, draw.one([5, 10]), false), stage(draw, 60, false)],
    affinity: { by: 'cookie', name: 'session' },
    analysis: {
      rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: draw.one([1, 20]) },
      latencyTolerance: 1,
      noData: draw.one(['hold', 'rollback', 'continue']),
    },
    experiment: {
      metric: { attribute: 'outcome', value: 'resolved', goal: draw.one(['more', 'fewer']) },
      arms: ['warm', 'broken'],
      share: 60,
      forMs: draw.one([1_000, 4_000]),
      minUnits: draw.one([0, 20]),
      alpha: 0.05,
      onWinner: draw.one(['hold', 'promote']),
    },
  };
}

function blueGreen(draw: Draw, isJudged: boolean): Partial<RolloutSettings> {
  return {
    fullSet: true,
    ...(draw.chance(0.6) && { keepPreviousMs: draw.one([0, 4_000]) }),
    ...(draw.chance(0.5) && { smoke: { path: smokePath, timeoutMs: 100 } }),
    ...(draw.chance(0.5) && preview(draw, isJudged)),
  };
}

/** As it is declared: nothing is counted of those who ask for the candidate, others are asked for their verdict. */
function preview(draw: Draw, isJudged: boolean): Partial<RolloutSettings> {
  const sources = isJudged && draw.chance(0.5) ? [source(draw)] : [];
  const asked = {
    rules: { alpha: 1, minUnits: 1 },
    latencyTolerance: 1,
    sources,
    noData: draw.one(['hold', 'rollback', 'continue'] as const),
  };
  return {
    stages: [{ weight: 0, forMs: draw.one([0, 1_000, 3_000]), approval: draw.chance(0.3) }],
    ...(sources.length > 0 && { analysis: asked }),
    ...(draw.chance(0.7) && { previewHost: 'preview.example' }),
  };
}
