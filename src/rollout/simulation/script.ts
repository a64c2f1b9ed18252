import { seededRandom } from '../../effects/random.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import type { Store } from '../../store/store.ts';
import type { EventLog } from '../../telemetry/events.ts';
import { isLive, type ServiceState } from '../service-state.ts';
import { act, type Scene } from './act.ts';
import { type Action, inWords, shortly } from './action.ts';
import { watchFlags } from './flag-invariants.ts';
import { type AnsweredLog, startReceiver } from './hook-receiver.ts';
import { type MeasuredLog, measureBySource } from './measured-sources.ts';
import { watchInvariants } from './invariants.ts';
import { startCrowd, startLoad } from './load.ts';
import { createModelledFlags } from './modelled-flags.ts';
import { answers, behaviours } from './releases.ts';
import { strays, summaryOf, unrest } from './rest.ts';
import { newTally, type Tally } from './tally.ts';
import { ControllerCrash, createWorld, type CrashMoment, type World } from './world.ts';

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

/** Plays a script under steady load, over an empty store, and lets everything come to rest. */
export async function play(script: readonly Step[], store: Store, options: PlayOptions = {}): Promise<Outcome> {
  const { seed = 7, perSecond = 0, users = 200, trace, restMs = 30_000, tamper } = options;
  const tally = newTally();
  const measured: MeasuredLog = new Map();
  const answered: AnsweredLog = new Map();
  const declared: Scene['declared'] = new Map();
  const measure = measureBySource(seededRandom(seed + 3), measured);
  const invariants = watchInvariants({ tally, users, measured, answered, declared, ...(trace && { trace }) });
  const flagWatch = watchFlags(invariants, tally, users);
  const usesFlags = script.some(({ action }) => action.type === 'roll_flag');
  const flags = usesFlags
    ? await createModelledFlags({
        store,
        random: seededRandom(seed + 4),
        events: silentEvents,
        counted: (...told) => flagWatch.counted(...told),
      })
    : undefined;
  const besides = flags && {
    beside: (life: Parameters<typeof flags.live>[0], of: World) => flags.live(life, of.clock),
    variant: flags.served,
    wrote: (writes: Parameters<typeof flags.wrote>[0], of: World) => {
      flags.wrote(writes);
      flagWatch.wrote(writes, of);
    },
  };
  const modelled = { store, events: silentEvents, behaviours, answers, watch: invariants, seed, users, tamper, measure };
  const world: World = await createWorld({ ...modelled, ...besides });
  const scene: Scene = { world, invariants, declared, pressed: new Map(), sent: new Map(), flags };
  const receiver = options.isTold === true ? await startReceiver(world, store, answered) : undefined;
  const load = startLoad(world);
  const crowd = startCrowd(world, perSecond);
  for (const [index, { action, pause, crash }] of script.entries()) {
    if (crash) world.crashAt(crash.effect, crash.moment);
    invariants.say(world, `${inWords(action)}${crash ? `; crash ${crash.moment} effect ${crash.effect}` : ''}`);
    const isDone = await insist(world, () => act(scene, action, `operation-${index}`));
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
  const isCountedByHand = script.some(({ action }) => action.type === 'count_flag');
  violations.push(...flagWatch.unrest(world, isCountedByHand));
  if (!(await isAtRest(world))) violations.push('3: it had come to rest, and another controller went on from there');
  violations.push(...(await strays(world)));
  receiver?.stop();
  violations.push(...(receiver?.wrongs(await world.state()) ?? []));
  await world.end();
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
