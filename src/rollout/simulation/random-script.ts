import { seededRandom } from '../../effects/random.ts';
import type { RolloutAction } from '../operate.ts';
import type { AnalysisSettings, RolloutSettings, StageSettings } from '../service-state.ts';
import { smokePath } from './memory-workloads.ts';
import type { ReleaseName } from './releases.ts';
import type { Action, PlayOptions, Step } from './script.ts';

/**
 * A story for the modelled world. `calm`: nothing is judged by chance and every pause is either far shorter or far longer than all that
 * takes time, so that it has to end the same way whenever the controller crashes. `judged`: enough requests and time for a canary to be
 * judged. `wild`: everything goes.
 */
export interface RandomScript {
  readonly kind: Kind;
  readonly steps: readonly Step[];
  readonly options: Required<Pick<PlayOptions, 'seed' | 'perSecond' | 'users' | 'restMs'>>;
  /** Whether every request has to find an instance: nobody ends instances or the service, and every release in it stays up. */
  readonly isUnbroken: boolean;
}

type Kind = 'calm' | 'judged' | 'wild';
const kinds: readonly Kind[] = ['calm', 'judged', 'wild', 'wild'];

const calmReleases: readonly ReleaseName[] = ['two', 'three', 'slow', 'silent', 'ending', 'unstartable'];
const wildReleases: readonly ReleaseName[] = [
  ...(['one', 'two', 'three', 'slow', 'silent', 'crashing', 'unstartable', 'dying', 'unsound'] as const),
  ...(['erring', 'sluggish', 'shifted', 'erring', 'sluggish', 'shifted', 'one', 'two'] as const),
];
const judgedReleases: readonly ReleaseName[] = ['one', 'two', 'erring', 'sluggish', 'shifted'];
const strategies: readonly DeclaredStrategy[] = ['rolling', 'canary', 'canary', 'blue_green'];
type DeclaredStrategy = 'rolling' | 'canary' | 'blue_green';
const buttons: readonly RolloutAction[] = [
  { type: 'pause' },
  { type: 'resume' },
  { type: 'abort' },
  { type: 'retry' },
  { type: 'promote', full: false },
  { type: 'promote', full: true },
  { type: 'rollback' },
  { type: 'rollback', to: 'one' },
  { type: 'rollback', to: 'two' },
];

/** The story of a seed: always the same one. */
export function randomScript(seed: number): RandomScript {
  const random = seededRandom(seed);
  const kind = kinds[seed % kinds.length] as Kind;
  const draw: Draw = {
    one: (choices) => choices[Math.floor(random.next() * choices.length)] as (typeof choices)[number],
    whole: (from, to) => from + Math.floor(random.next() * (to - from + 1)),
    chance: (of) => random.next() < of,
  };
  const steps: Step[] = [first(draw)];
  const stepOf = { calm: calmStep, judged: judgedStep, wild: wildStep }[kind];
  const count = draw.whole(1, { calm: 5, judged: 4, wild: 7 }[kind]);
  for (let step = 0; step < count; step += 1) steps.push(stepOf(draw));
  const actions = steps.map(({ action }) => action);
  const isUnbroken = actions.every(
    (action) =>
      !['kill_instance', 'suspend', 'remove', 'resume'].includes(action.type) && !(action.type === 'deploy' && action.release === 'dying'),
  );
  // The only instance may be the one that is declared to be dispensable.
  const mayStop =
    actions.some((action) => action.type === 'deploy' && (action.maxUnavailable ?? 0) > 0) &&
    actions.some((action) => (action.type === 'deploy' || action.type === 'scale') && action.replicas === 1);
  const perSecond = { calm: 0, judged: draw.one([100, 400]), wild: draw.one([0, 20, 100, 400]) }[kind];
  const options = { seed, perSecond, users: draw.one([50, 500, 2_000]), restMs: 60_000 };
  return { kind, steps, options, isUnbroken: isUnbroken && !mayStop };
}

interface Draw {
  one<Choice>(choices: readonly Choice[]): Choice;
  /** Both ends included. */
  whole(from: number, to: number): number;
  chance(of: number): boolean;
}

function first(draw: Draw): Step {
  return { action: { type: 'deploy', release: 'two', replicas: draw.whole(1, 4), maxSurge: 1 }, pause: 20_000 };
}

function calmStep(draw: Draw): Step {
  const roll = draw.whole(0, 99);
  const action: Action =
    roll < 45
      ? deploy(draw, calmReleases, false)
      : roll < 75
        ? { type: 'operate', action: draw.one(buttons) }
        : roll < 90
          ? { type: 'scale', replicas: draw.whole(1, 4) }
          : { type: draw.one(['restart', 'suspend', 'resume'] as const) };
  return { action, pause: draw.one([0, 30, 45_000]), ...maybeCrash(draw, ['before', 'after']) };
}

function judgedStep(draw: Draw): Step {
  const roll = draw.whole(0, 99);
  const action: Action =
    roll < 70
      ? deploy(draw, judgedReleases, true, ['canary'])
      : roll < 85
        ? gatewayTrouble(draw)
        : roll < 95
          ? { type: draw.one(['scale', 'autoscale'] as const), replicas: draw.whole(1, 4) }
          : { type: 'operate', action: draw.one(buttons) };
  return { action, pause: draw.one([1_500, 6_000, 25_000, 25_000]), ...maybeCrash(draw, ['before', 'after', 'late']) };
}

function wildStep(draw: Draw): Step {
  const roll = draw.whole(0, 99);
  const action: Action =
    roll < 40
      ? deploy(draw, wildReleases, true)
      : roll < 75
        ? { type: 'operate', action: draw.one(buttons) }
        : roll < 84
          ? { type: draw.one(['scale', 'autoscale'] as const), replicas: draw.whole(1, 4) }
          : roll < 91
            ? gatewayTrouble(draw)
            : roll < 95
              ? { type: 'kill_instance', index: draw.whole(0, 5) }
              : { type: draw.one(['restart', 'restart', 'suspend', 'resume', 'remove'] as const) };
  return { action, pause: draw.one([0, 30, 200, 700, 2_500, 6_000, 15_000, 30_000]), ...maybeCrash(draw, ['before', 'after', 'late']) };
}

/** It is started anew, or cannot be reached, or does what it is told without an answer. */
function gatewayTrouble(draw: Draw): Action {
  const fault = draw.one(['anew', 'away', 'mute'] as const);
  return fault === 'anew' ? { type: 'restart_gateway' } : { type: 'fail_gateway', fault, forMs: draw.one([50, 400, 1_500, 4_000]) };
}

function maybeCrash(draw: Draw, moments: readonly ('before' | 'after' | 'late')[]): Pick<Step, 'crash'> {
  return draw.chance(0.6) ? { crash: { effect: draw.chance(0.2) ? 1 : draw.whole(1, 25), moment: draw.one(moments) } } : {};
}

function deploy(draw: Draw, among: readonly ReleaseName[], isJudged: boolean, by = strategies): Action {
  const strategy = draw.one(by);
  const maxUnavailable = draw.whole(0, 1);
  return {
    type: 'deploy',
    release: draw.one(among),
    replicas: draw.whole(1, 4),
    maxSurge: draw.whole(maxUnavailable === 0 ? 1 : 0, 2),
    maxUnavailable: strategy === 'rolling' ? maxUnavailable : 0,
    strategy,
    rollout: { rolling: () => ({}), canary: () => canary(draw, isJudged), blue_green: () => blueGreen(draw) }[strategy](),
  };
}

function canary(draw: Draw, isJudged: boolean): Partial<RolloutSettings> {
  const weights = Array.from({ length: draw.whole(1, 3) }, () => draw.one([0, 1, 5, 10, 25, 50, 75, 100])).toSorted((a, b) => a - b);
  const stages = weights.map(
    (weight): StageSettings => ({
      weight,
      forMs: draw.one(isJudged ? [0, 1_000, 3_000, 8_000] : [0, 1_000, 2_000]),
      approval: draw.chance(0.1),
    }),
  );
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
  };
}

function blueGreen(draw: Draw): Partial<RolloutSettings> {
  return {
    fullSet: true,
    ...(draw.chance(0.6) && { keepPreviousMs: draw.one([0, 4_000]) }),
    ...(draw.chance(0.4) && { smoke: { path: smokePath, timeoutMs: 100 } }),
  };
}
