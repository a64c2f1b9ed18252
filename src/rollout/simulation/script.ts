import { seededRandom } from '../../effects/random.ts';
import { SluiceError } from '../../errors/sluice-error.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import type { Store } from '../../store/store.ts';
import type { EventLog } from '../../telemetry/events.ts';
import type { RolloutAction } from '../operate.ts';
import { isLive, type RolloutSettings, type ScalingSettings, type ServiceState } from '../service-state.ts';
import { chosenFor, type ModelledChange } from './auto-choice.ts';
import { startReceiver } from './hook-receiver.ts';
import { type MeasuredLog, measureBySource } from './measured-sources.ts';
import { watchInvariants } from './invariants.ts';
import type { GatewayFault } from './gateway-faults.ts';
import { startCrowd, startLoad } from './load.ts';
import { answers, behaviours, type ReleaseName } from './releases.ts';
import { summaryOf, unrest } from './rest.ts';
import { newTally, type Tally } from './tally.ts';
import { ControllerCrash, createWorld, type CrashMoment, desiredRelease, type StrategyName, type World } from './world.ts';

/** A release, and how it is to come into use. */
export interface Deployment {
  readonly release: ReleaseName;
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable?: number;
  readonly strategy?: StrategyName;
  /** Instead of those of the strategy. */
  readonly rollout?: Partial<RolloutSettings>;
  /** The way is chosen by what is different, whatever else is said. */
  readonly auto?: ModelledChange;
  /** Load decides how many instances there are. */
  readonly scaling?: ScalingSettings;
}

export type Action =
  | (Deployment & { readonly type: 'deploy' })
  | { readonly type: 'count_flag'; readonly id: string | undefined }
  | { readonly type: 'scale' | 'autoscale'; readonly replicas: number }
  | { readonly type: 'restart' | 'suspend' | 'resume' | 'remove' | 'restart_gateway' }
  | { readonly type: 'fail_gateway'; readonly fault: GatewayFault; readonly forMs: number }
  | { readonly type: 'operate'; readonly action: RolloutAction }
  | { readonly type: 'kill_instance'; readonly index: number };

export interface Step {
  readonly action: Action;
  /** Milliseconds that pass afterwards. */
  readonly pause: number;
  /** The controller dies at its so-manieth effect after the action. */
  readonly crash?: { readonly effect: number; readonly moment: CrashMoment };
}

export interface Outcome {
  readonly violations: readonly string[];
  /** Requests that found no instance although one had been ready before. */
  readonly refused: number;
  /** What everything came to. */
  readonly end: unknown;
  readonly tally: Tally;
  /** What the story had in it. */
  readonly seen: readonly string[];
}

export interface PlayOptions {
  readonly seed?: number;
  /** Requests a second that evidence is made of, beside the few that are followed one by one. */
  readonly perSecond?: number;
  readonly users?: number;
  /** Told of everything that happens, for people. */
  readonly trace?: (line: string) => void;
  /** Milliseconds that everything has at the end to come to rest. */
  readonly restMs?: number;
  /** Somebody is told of rollouts and answers hooks. */
  readonly isTold?: boolean;
  /** What the gateway is told instead of what the controller says. */
  readonly tamper?: (route: ServiceRoute) => ServiceRoute;
}

const address = 'default/service/agent';

/** Plays a script under steady load, over an empty store, and lets everything come to rest. */
export async function play(script: readonly Step[], store: Store, options: PlayOptions = {}): Promise<Outcome> {
  const { seed = 7, perSecond = 0, users = 200, trace, restMs = 30_000, tamper } = options;
  const tally = newTally();
  const measured: MeasuredLog = new Map();
  const measure = measureBySource(seededRandom(seed + 3), measured);
  const invariants = watchInvariants({ tally, users, measured, ...(trace && { trace }) });
  const world = await createWorld({ store, events: silentEvents, behaviours, answers, watch: invariants, seed, users, tamper, measure });
  const receiver = options.isTold === true ? await startReceiver(world, store) : undefined;
  const load = startLoad(world);
  const crowd = startCrowd(world, perSecond);
  for (const [index, { action, pause, crash }] of script.entries()) {
    if (crash) world.crashAt(crash.effect, crash.moment);
    invariants.say(world, `${inWords(action)}${crash ? `; crash ${crash.moment} effect ${crash.effect}` : ''}`);
    const isDone = await invariants.byPeople(() => insist(world, () => act(world, action, `operation-${index}`)));
    if (isDone) invariants.see(shortly(action));
    await world.clock.advance(pause);
  }
  world.crashAt(Number.POSITIVE_INFINITY, 'before');
  await world.clock.advance(restMs);
  // A verdict may have come in the last second.
  for (let more = 0; more < 3 && (await isLeaving(world)); more += 1) await world.clock.advance(10_000);
  load.stop();
  crowd.stop();
  const state = await world.state();
  const end = state && summaryOf(state, world);
  invariants.say(world, `end: ${JSON.stringify(end)}`);
  const violations = [...invariants.violations, ...(state ? unrest(state, world) : [])];
  if (!(await isAtRest(world))) violations.push('3: it had come to rest, and another controller went on from there');
  receiver?.stop();
  violations.push(...(receiver?.wrongs(await world.state()) ?? []));
  await world.controller.stop();
  return { violations, refused: load.refused(), end, tally, seen: [...invariants.seen] };
}

/** Whether another controller, which looks at everything, finds nothing to do: nobody has missed what was written. */
async function isAtRest(world: World): Promise<boolean> {
  const summary = async (): Promise<string> => JSON.stringify(summaryOf((await world.state()) as ServiceState, world));
  if (!(await world.state())) return true;
  // What came last is counted, and is looked at once a second.
  await world.clock.advance(3_000);
  const before = await summary();
  await world.replaceController();
  await world.clock.advance(5);
  return (await summary()) === before;
}

async function isLeaving(world: World): Promise<boolean> {
  return (await world.state())?.instances.some((instance) => !isLive(instance)) ?? false;
}

/** As a caller of the API does: what failed because the controller died is asked of its successor, unless it was done before. Resolves with whether it was not refused. */
async function insist(world: World, ask: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ControllerCrash && error.moment !== 'before') return true;
      await world.clock.advance(1);
    }
  }
  return false;
}

async function act(world: World, action: Action, operation: string): Promise<boolean> {
  const { controller, workloads, traffic } = world;
  switch (action.type) {
    case 'deploy':
      await controller.setDesired(desiredRelease(action.release, operation, await withWay(world, action)));
      return true;
    case 'scale':
      return isTaken(controller.scale(address, action.replicas));
    case 'autoscale': {
      const from = (await world.state())?.replicas ?? 0;
      return isTaken(controller.autoscale(address, { from, to: action.replicas, why: 'load' }));
    }
    case 'operate':
      return isTaken(controller.operate(address, action.action, { by: 'somebody' }));
    case 'count_flag': {
      const { id } = action;
      const counts = id === undefined ? undefined : { id, attribute: 'flag', variant: 'on', probability: 0.2, thresholds: [] };
      await controller.countFlag(address, counts);
      return true;
    }
    case 'kill_instance': {
      const state = await world.state();
      const sturdy = state?.instances.filter(({ exits }) => exits.length < 2) ?? [];
      const victim = sturdy[action.index % Math.max(1, sturdy.length)];
      return victim !== undefined && workloads.crash(victim.id);
    }
    case 'fail_gateway':
      world.failGateway(action.fault, action.forMs);
      return true;
    case 'restart_gateway':
      traffic.restart();
      return true;
    case 'restart':
    case 'suspend':
    case 'resume':
    case 'remove':
      break;
  }
  return isTaken(controller[action.type](address));
}

/** With `auto`, the settings that are chosen at this moment. */
async function withWay(world: World, { auto, ...deployment }: Deployment): Promise<Deployment> {
  if (auto === undefined) return deployment;
  const { release, replicas } = deployment;
  return { ...deployment, rollout: chosenFor(auto, { release, replicas, state: await world.state() }) };
}

async function isTaken(asked: Promise<unknown>): Promise<boolean> {
  return asked.then(
    () => true,
    (error: unknown) => {
      refused(error);
      return false;
    },
  );
}

/** That an action makes no sense at this moment is an answer. */
function refused(error: unknown): void {
  if (
    !(error instanceof SluiceError) ||
    ![
      'no_rollout',
      'rollout_waits_for_approval',
      'rollout_has_no_stages',
      'experiment_has_no_arm',
      'experiment_arm_withdrawn',
      'rollout_nothing_to_retry',
      'release_not_kept',
      'unknown_service',
      'scaled_by_load',
      'rollout_moved_on',
    ].includes(error.code)
  )
    throw error;
}

/** What of an action is told apart in the coverage of the stories. */
function shortly(action: Action): string {
  switch (action.type) {
    case 'operate': {
      const { type } = action.action;
      if (type !== 'promote') return `pressed: ${type}${type === 'rollback' && action.action.to !== undefined ? ' to a release' : ''}`;
      return `pressed: promote${action.action.full ? ' to the whole' : ''}${action.action.arm === undefined ? '' : ' an arm'}`;
    }
    case 'fail_gateway':
      return `gateway ${action.fault}`;
    case 'restart_gateway':
      return 'gateway started anew';
    case 'deploy':
      return action.scaling ? 'service that scales by load' : 'service of a fixed size';
    case 'scale':
    case 'autoscale':
    case 'restart':
    case 'suspend':
    case 'resume':
    case 'remove':
    case 'count_flag':
    case 'kill_instance':
      break;
  }
  return `asked: ${action.type.replaceAll('_', ' ')}`;
}

function inWords(action: Action): string {
  const { type, ...details } = action;
  return `${type} ${JSON.stringify(details)}`;
}

export const silentEvents: EventLog = {
  publish: async () => 0,
  entry: (event) => ({ operation: 'append', log: 'events', value: { ...event } }),
  announce: () => undefined,
  read: async () => [],
  last: async () => 0,
  follow: async function* () {
    // Nobody watches a simulation.
  },
};
