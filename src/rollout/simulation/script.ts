import type { Store } from '../../store/store.ts';
import type { EventLog } from '../../telemetry/events.ts';
import { isLive, revisionOf, type ServiceState } from '../service-state.ts';
import { watchInvariants } from './invariants.ts';
import type { Behaviour } from './memory-workloads.ts';
import type { RolloutAction } from '../operate.ts';
import { SluiceError } from '../../errors/sluice-error.ts';
import { createWorld, desiredRelease, type StrategyName, type World } from './world.ts';

export type Action =
  | {
      readonly type: 'deploy';
      readonly release: keyof typeof releases;
      readonly replicas: number;
      readonly maxSurge: number;
      readonly strategy?: StrategyName;
    }
  | { readonly type: 'scale'; readonly replicas: number }
  | { readonly type: 'restart' | 'suspend' | 'resume' }
  | { readonly type: 'operate'; readonly action: RolloutAction }
  | { readonly type: 'kill_instance'; readonly index: number };

export interface Step {
  readonly action: Action;
  /** Milliseconds that pass afterwards. */
  readonly pause: number;
  /** The controller dies at its so-manieth effect after the action. */
  readonly crash?: { readonly effect: number; readonly moment: 'before' | 'after' };
}

/** Releases to deploy: three that work, one that never gets ready, one that ends again and again, one that cannot be started. */
const releases = {
  one: { readyAfter: 100, stopsAfter: 50 },
  two: { readyAfter: 700, stopsAfter: 400 },
  slow: { readyAfter: 3_000 },
  silent: { stopsAfter: 50 },
  crashing: { exitsAfter: 80 },
  unstartable: { unstartable: true },
} satisfies Record<string, Behaviour>;

export interface Outcome {
  readonly violations: readonly string[];
  /** Requests that found no instance although one had been ready before. */
  readonly refused: number;
  readonly end: unknown;
}

/** Plays a script under steady load, over an empty store, and lets everything come to rest. */
export async function play(script: readonly Step[], store: Store): Promise<Outcome> {
  const invariants = watchInvariants();
  const world = await createWorld({ store, events: silentEvents, behaviours: releases, watch: invariants });
  const load = startLoad(world);
  for (const [index, { action, pause, crash }] of script.entries()) {
    if (crash) world.crashAt(crash.effect, crash.moment);
    await insist(world, () => act(world, action, `operation-${index}`));
    await world.clock.advance(pause);
  }
  world.crashAt(Number.POSITIVE_INFINITY, 'before');
  await world.clock.advance(30_000);
  load.stop();
  const state = await world.state();
  const end = state && summary(state, world);
  await world.controller.stop();
  return { violations: invariants.violations, refused: load.refused(), end };
}

/** As a caller of the API does: what failed because the controller died is asked of its successor. */
async function insist(world: World, ask: () => Promise<void>): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await ask();
      return;
    } catch {
      await world.clock.advance(1);
    }
  }
}

async function act({ controller, workloads, ...world }: World, action: Action, operation: string): Promise<void> {
  const address = 'default/service/agent';
  switch (action.type) {
    case 'deploy':
      await controller.setDesired(desiredRelease(action.release, operation, action));
      return;
    case 'scale':
      await controller.scale(address, action.replicas);
      return;
    case 'operate':
      await controller.operate(address, action.action, { by: 'somebody' }).catch(refused);
      return;
    case 'kill_instance': {
      const state = await world.state();
      const sturdy = state?.instances.filter(({ exits }) => exits.length < 2) ?? [];
      const victim = sturdy[action.index % Math.max(1, sturdy.length)];
      if (victim) workloads.crash(victim.id);
      return;
    }
    case 'restart':
    case 'suspend':
    case 'resume':
      await controller[action.type](address);
  }
}

/** That an action makes no sense at this moment is an answer. */
function refused(error: unknown): void {
  if (
    !(error instanceof SluiceError) ||
    ![
      'no_rollout',
      'rollout_has_no_stages',
      'experiment_has_no_arm',
      'experiment_arm_withdrawn',
      'rollout_nothing_to_retry',
      'release_not_kept',
      'unknown_service',
    ].includes(error.code)
  )
    throw error;
}

/** Requests of very different lengths, the longest longer than the drain deadline. */
function startLoad(world: World): { stop(): void; refused(): number } {
  const ended = new AbortController();
  let count = 0;
  let refused = 0;
  let served = false;
  void (async () => {
    while (!ended.signal.aborted) {
      const request = world.traffic.begin({ environment: 'default', name: 'agent' });
      if (request) {
        served = true;
        count += 1;
        void world.clock.sleep(count % 30 === 0 ? 3_000 : (count * 37) % 300).then(() => request.end());
      } else if (served) refused += 1;
      await world.clock.sleep(100, ended.signal).catch(() => undefined);
    }
  })();
  return { stop: () => ended.abort(), refused: () => refused };
}

function summary(state: ServiceState, world: World): unknown {
  const live = state.instances.filter(isLive);
  const route = world.traffic.route(state);
  return {
    mode: state.mode,
    replicas: state.replicas,
    stable: revisionOf(state, state.stable)?.release,
    candidate: revisionOf(state, state.candidate?.generation)?.release,
    failed: state.failure?.release,
    instances: live.map(({ phase, generation }) => `${revisionOf(state, generation)?.release} ${phase}`),
    leaving: state.instances.length - live.length,
    weights: route?.backends.map(({ release, weight, instances }) => ({ release, weight, instances: instances.length })),
    known: live.length,
  };
}

const silentEvents: EventLog = {
  publish: async () => 0,
  entry: (event) => ({ operation: 'append', log: 'events', value: { ...event } }),
  announce: () => undefined,
  read: async () => [],
  last: async () => 0,
  follow: async function* () {
    // Nobody watches a simulation.
  },
};
