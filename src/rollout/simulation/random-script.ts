import { seededRandom } from '../../effects/random.ts';
import type { RolloutAction } from '../operate.ts';
import { type Draw, drawBy } from './random-draw.ts';
import { randomRollout } from './random-rollout.ts';
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
  readonly options: Required<Pick<PlayOptions, 'seed' | 'perSecond' | 'users' | 'restMs' | 'isTold'>>;
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
type Way = Parameters<typeof randomRollout>[1];
const calmWays: readonly Way[] = ['rolling', 'canary', 'canary', 'blue_green'];
const wildWays: readonly Way[] = ['rolling', 'canary', 'canary', 'canary', 'blue_green', 'experiment', 'auto'];
const buttons: readonly RolloutAction[] = [
  { type: 'pause' },
  { type: 'resume' },
  { type: 'abort' },
  { type: 'retry' },
  { type: 'promote', full: false },
  { type: 'promote', full: true },
  { type: 'promote', full: false, arm: 'warm' },
  { type: 'rollback' },
  { type: 'rollback', to: 'one' },
  { type: 'rollback', to: 'two' },
];

/** The story of a seed: always the same one. */
export function randomScript(seed: number): RandomScript {
  const random = seededRandom(seed);
  const kind = kinds[seed % kinds.length] as Kind;
  const draw = drawBy(random);
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
  const options = { seed, perSecond, users: draw.one([50, 500, 2_000]), restMs: 60_000, isTold: kind !== 'calm' };
  return { kind, steps, options, isUnbroken: isUnbroken && !mayStop };
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
      ? deploy(draw, judgedReleases, true, ['canary', 'canary', 'canary', 'experiment'])
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
      ? deploy(draw, wildReleases, true, wildWays)
      : roll < 75
        ? { type: 'operate', action: draw.one(buttons) }
        : roll < 84
          ? { type: draw.one(['scale', 'autoscale'] as const), replicas: draw.whole(1, 4) }
          : roll < 91
            ? gatewayTrouble(draw)
            : roll < 95
              ? { type: 'kill_instance', index: draw.whole(0, 5) }
              : roll < 97
                ? { type: 'count_flag', id: draw.one(['greeting', 'tone', undefined]) }
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

function deploy(draw: Draw, among: readonly ReleaseName[], isJudged: boolean, by: readonly Way[] = calmWays): Action {
  const strategy = draw.one(by);
  const maxUnavailable = strategy === 'rolling' ? draw.whole(0, 1) : 0;
  return {
    type: 'deploy',
    release: draw.one(among),
    replicas: draw.whole(1, 4),
    maxSurge: draw.whole(maxUnavailable === 0 ? 1 : 0, 2),
    maxUnavailable,
    ...randomRollout(draw, strategy, isJudged),
    ...(isJudged && draw.chance(0.3) && { scaling: { min: 1, max: 4, latencyMs: 500 } }),
  };
}
