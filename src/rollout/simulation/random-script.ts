import { seededRandom } from '../../effects/random.ts';
import { isNone } from '../../stack/fields/allowance.ts';
import type { RolloutAction } from '../operate.ts';
import { type Draw, drawBy } from './random-draw.ts';
import { randomRollout } from './random-rollout.ts';
import type { ReleaseName } from './releases.ts';
import type { Action, Deployment } from './action.ts';
import type { PlayOptions, Step } from './script.ts';

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
  ...(['one', 'two', 'three', 'slow', 'silent', 'crashing', 'unstartable', 'dying', 'unsound', 'flaky'] as const),
  ...(['erring', 'sluggish', 'shifted', 'erring', 'sluggish', 'shifted', 'one', 'two'] as const),
];
const judgedReleases: readonly ReleaseName[] = ['one', 'two', 'erring', 'sluggish', 'shifted'];
type Way = Parameters<typeof randomRollout>[1];
const calmWays: readonly Way[] = ['rolling', 'canary', 'canary', 'blue_green'];
const judgedWays: readonly Way[] = ['canary', 'canary', 'canary', 'experiment', 'blue_green', 'blue_green', 'rolling'];
const wildWays: readonly Way[] = ['rolling', 'rolling', 'canary', 'canary', 'canary', 'blue_green', 'blue_green', 'experiment', 'auto'];
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
  const count = draw.whole(1, { calm: 5, judged: 4, wild: 6 }[kind]);
  for (let step = 0; step < count; step += 1) steps.push(...stepOf(draw, steps));
  const actions = steps.map(({ action }) => action);
  const isUnbroken = actions.every(
    (action) =>
      !['kill_instance', 'suspend', 'remove', 'resume', 'kill_gateway', 'deploy_both'].includes(action.type) &&
      !(action.type === 'deploy' && action.release === 'dying') &&
      !(action.type === 'scale' && action.replicas === 0),
  );
  // The only instance may be the one that is declared to be dispensable, or all of them.
  const mayStop =
    actions.some((action) => action.type === 'deploy' && action.maxUnavailable === '100%') ||
    (actions.some((action) => action.type === 'deploy' && !isNone(action.maxUnavailable ?? 0)) &&
      actions.some((action) => (action.type === 'deploy' || action.type === 'scale') && action.replicas === 1));
  const perSecond = { calm: 0, judged: draw.one([100, 400]), wild: draw.one([0, 20, 100, 400]) }[kind];
  const options = { seed, perSecond, users: draw.one([50, 500, 2_000]), restMs: 60_000, isTold: kind !== 'calm' };
  return { kind, steps, options, isUnbroken: isUnbroken && !mayStop };
}

function first(draw: Draw): Step {
  return { action: { type: 'deploy', release: 'two', replicas: draw.whole(1, 4), maxSurge: 1 }, pause: 20_000 };
}

function calmStep(draw: Draw): Step[] {
  const roll = draw.whole(0, 99);
  const action: Action =
    roll < 45
      ? deploy(draw, calmReleases, false)
      : roll < 75
        ? { type: 'operate', action: draw.one(buttons) }
        : roll < 90
          ? { type: 'scale', replicas: draw.whole(0, 4) }
          : { type: draw.one(['restart', 'suspend', 'resume'] as const) };
  return [{ action, pause: draw.one([0, 30, 45_000]), ...maybeCrash(draw, ['before', 'after']) }];
}

function judgedStep(draw: Draw, before: readonly Step[]): Step[] {
  const roll = draw.whole(0, 99);
  const action: Action =
    roll < 62
      ? deploy(draw, judgedReleases, true, judgedWays)
      : roll < 75
        ? trouble(draw)
        : roll < 83
          ? { type: draw.one(['scale', 'autoscale'] as const), replicas: draw.whole(1, 4) }
          : roll < 92
            ? press(draw, before)
            : flagAction(draw);
  return [{ action, pause: draw.one([1_500, 6_000, 25_000, 25_000]), ...maybeCrash(draw, ['before', 'after', 'late']) }];
}

const pauses = [0, 30, 200, 700, 2_500, 6_000, 15_000, 30_000] as const;

function wildStep(draw: Draw, before: readonly Step[]): Step[] {
  const crash = maybeCrash(draw, ['before', 'after', 'late']);
  const roll = draw.whole(0, 99);
  const pause = draw.one(pauses);
  if (roll < 36) {
    const deployed: Step = { action: deploy(draw, wildReleases, true, wildWays), pause, ...crash };
    return draw.chance(0.5) ? [deployed] : [{ ...deployed, pause: draw.one([30, 700, 2_500]) }, ...presses(draw, [])];
  }
  if (roll < 60) return presses(draw, before);
  if (roll < 71) return [{ action: { type: draw.one(['scale', 'autoscale'] as const), replicas: draw.whole(0, 4) }, pause, ...crash }];
  if (roll < 84) return [{ action: trouble(draw), pause, ...crash }];
  if (roll < 87) return [{ action: { type: 'kill_instance', index: draw.whole(0, 5) }, pause, ...crash }];
  if (roll < 91) return flagSteps(draw, crash);
  if (roll < 93) return [{ action: { type: 'count_flag', id: draw.one(['greeting', 'tone', undefined]) }, pause, ...crash }];
  if (roll < 96) return goneAndBack(draw, pause, crash);
  if (roll < 98) return [{ action: atOnce(draw), pause, ...crash }];
  return [{ action: { type: draw.one(['restart', 'restart', 'suspend', 'resume', 'remove'] as const) }, pause, ...crash }];
}

/** It is taken away, at whatever moment, and is there again a little or long after. */
function goneAndBack(draw: Draw, pause: number, crash: Pick<Step, 'crash'>): Step[] {
  const away = draw.one(pauses);
  const size = draw.whole(1, 4);
  switch (draw.one(['removed', 'nothing', 'suspended'] as const)) {
    case 'removed':
      return [
        { action: { type: 'remove' }, pause: away, ...crash },
        { action: deploy(draw, wildReleases, true, wildWays), pause },
      ];
    case 'nothing':
      return [
        { action: { type: 'scale', replicas: 0 }, pause: away, ...crash },
        { action: { type: 'scale', replicas: size }, pause },
      ];
    case 'suspended':
      break;
  }
  return [
    { action: { type: 'suspend' }, pause: away, ...crash },
    { action: { type: 'resume' }, pause },
  ];
}

/** Two stacks, of which either may be the last. */
function atOnce(draw: Draw): Action {
  const one = (): Deployment => {
    const { type: _, ...deployment } = deploy(draw, wildReleases, true, wildWays);
    return deployment;
  };
  return { type: 'deploy_both', deployments: [one(), one()] };
}

/** A button, and perhaps the same one once more: whoever got no answer sends it again. */
function presses(draw: Draw, before: readonly Step[]): Step[] {
  const crash = maybeCrash(draw, ['before', 'after', 'late']);
  const action = press(draw, before);
  const pressed: Step = { action, pause: draw.one(pauses), ...crash };
  if (action.type !== 'operate' || action.key === undefined || draw.chance(0.3)) return [pressed];
  const between = draw.chance(0.6) ? meanwhile(draw, action.action.type) : [];
  const again: Action = draw.chance(0.2) ? { ...action, action: draw.one(buttons) } : action;
  return [{ ...pressed, pause: draw.one([0, 30, 700]) }, ...between, { action: again, pause: draw.one(pauses) }];
}

/** Somebody undoes it before it is sent again: it would do it once more. */
function meanwhile(draw: Draw, type: RolloutAction['type']): Step[] {
  const pause = draw.one([0, 30, 700]);
  if (type === 'pause') return [{ action: { type: 'operate', action: { type: 'resume' } }, pause }];
  if (type === 'resume') return [{ action: { type: 'operate', action: { type: 'pause' } }, pause }];
  return type === 'promote' ? [] : [{ action: deploy(draw, wildReleases, true, wildWays), pause }];
}

/** Any button at any moment: by itself, under a key that may have been used, twice at once, or by what is seen. */
function press(draw: Draw, before: readonly Step[]): Action {
  const roll = draw.whole(0, 99);
  if (roll < 10) return { type: 'promote_seen', full: draw.chance(0.2), off: draw.one([0, 0, -1, 1]) };
  if (roll < 18) return { type: 'rollback_kept', index: draw.whole(0, 8) };
  const earlier = before.map(({ action }) => action).filter((action) => action.type === 'operate' && action.key !== undefined);
  if (roll < 40 && earlier.length > 0) return draw.one(earlier);
  const action = draw.one(buttons);
  if (roll < 60) return { type: 'operate', action };
  return { type: 'operate', action, key: `key-${draw.whole(1, 3)}`, ...(draw.chance(0.3) && { twice: true }) };
}

/** A rollout of a flag with what somebody does to the flag shortly before or on its way. */
function flagSteps(draw: Draw, crash: Pick<Step, 'crash'>): Step[] {
  const before: Action = { type: 'touch_flag', how: draw.one(['set', 'cleared']) };
  const after = draw.one([2_500, 6_000, 15_000, 30_000]);
  return [
    ...(draw.chance(0.5) ? [{ action: before, pause: 30 }] : []),
    { action: flagAction(draw), pause: after, ...crash },
    ...(draw.chance(0.5) ? [{ action: flagAction(draw), pause: 15_000 }] : []),
  ];
}

function flagAction(draw: Draw): Action {
  const roll = draw.whole(0, 99);
  if (roll < 15) return { type: 'stop_flag' };
  if (roll < 30) return { type: 'touch_flag', how: draw.one(['killed', 'set', 'cleared']) };
  return {
    type: 'roll_flag',
    variant: draw.one(['on', 'worse']),
    steps: draw.one([[10], [10, 50], [1, 20, 60]]),
    stepMs: draw.one([1_000, 4_000]),
    minUnits: draw.one([1, 50]),
    latency: draw.chance(0.4),
    ...(draw.chance(0.2) && { isHidden: true }),
  };
}

/** Gateway, store, clock or a control plane of before do what they should not. */
function trouble(draw: Draw): Action {
  const forMs = draw.one([50, 400, 1_500, 4_000, 12_000]);
  const fault = draw.one(['away', 'mute'] as const);
  switch (draw.one(['anew', 'gateway', 'gateway', 'dead', 'store', 'store', 'clock', 'lead', 'lead'] as const)) {
    case 'anew':
      return { type: 'restart_gateway' };
    case 'gateway':
      return { type: 'fail_gateway', fault, forMs };
    case 'dead':
      return { type: 'kill_gateway', forMs };
    case 'store':
      return { type: 'fail_store', fault, forMs };
    case 'lead':
      return { type: 'outlive', forMs };
    case 'clock':
      break;
  }
  return { type: 'jump_clock', byMs: draw.one([-3_600_000, -7_000, -500, 500, 7_000, 3_600_000]) };
}

function maybeCrash(draw: Draw, moments: readonly ('before' | 'after' | 'late')[]): Pick<Step, 'crash'> {
  return draw.chance(0.6) ? { crash: { effect: draw.chance(0.2) ? 1 : draw.whole(1, 25), moment: draw.one(moments) } } : {};
}

const parts = ['0%', '20%', '34%', '50%', '100%'] as const;

function deploy(
  draw: Draw,
  among: readonly ReleaseName[],
  isJudged: boolean,
  by: readonly Way[] = calmWays,
): Deployment & { readonly type: 'deploy' } {
  const strategy = draw.one(by);
  const isRolled = strategy === 'rolling';
  const isByParts = isRolled && draw.chance(0.4);
  const maxUnavailable = isByParts ? draw.one(parts) : isRolled ? draw.whole(0, 1) : 0;
  const way = randomRollout(draw, strategy, isJudged);
  // A check is of no use to those who always pass it.
  const isChecked = isJudged && way.rollout?.smoke !== undefined && draw.chance(0.5);
  return {
    type: 'deploy',
    release: draw.one(isChecked ? (['unsound', 'flaky'] as const) : among),
    replicas: draw.whole(1, 4),
    // Nothing of either is refused; parts of both may come to nothing.
    maxSurge: isByParts ? draw.one(parts.slice(maxUnavailable === '0%' ? 1 : 0)) : draw.whole(maxUnavailable === 0 ? 1 : 0, 2),
    maxUnavailable,
    ...way,
    ...(isJudged && draw.chance(0.3) && { scaling: { min: 1, max: 4, latencyMs: 500 } }),
  };
}
