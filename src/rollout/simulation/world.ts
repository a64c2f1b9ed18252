import type { Json } from '../../digest/json.ts';
import { seededRandom } from '../../effects/random.ts';
import type { OutputResolver } from '../../engine/output-resolver.ts';
import type { Vault } from '../../secrets/vault.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import type { Store } from '../../store/store.ts';
import type { EventLog } from '../../telemetry/events.ts';
import { releaseOfBaseline } from '../baseline.ts';
import type { DesiredService } from '../desired-state.ts';
import { createServiceController, type ServiceController } from '../service-controller.ts';
import { serviceKey } from '../service-documents.ts';
import type { RevisionContent, RolloutSettings, ScalingSettings, ServiceState } from '../service-state.ts';
import { type Answers, ordinaryAnswers } from './answers.ts';
import type { Measure } from '../sources/measure.ts';
import { createGatewayLine, type GatewayFault } from './gateway-faults.ts';
import { createMemoryTraffic, type MemoryTraffic } from './memory-traffic.ts';
import { createMemoryWorkloads, type Behaviour, type MemoryWorkloads } from './memory-workloads.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';
import type { Allowance } from '../../stack/fields/allowance.ts';

/** How instances of a release behave, by the release's id. */
export type Behaviours = Readonly<Record<string, Behaviour>>;

export interface World {
  readonly clock: VirtualClock;
  readonly workloads: MemoryWorkloads;
  readonly traffic: MemoryTraffic;
  readonly controller: ServiceController;
  state(): Promise<ServiceState | undefined>;
  /** What was stored last. */
  latest(): ServiceState | undefined;
  /** Ends the controller as `kill -9` does, and starts another over the same store, processes and gateway. */
  replaceController(): Promise<void>;
  /** Has the controller die at its effect number `effect` from now on; another one takes over. */
  crashAt(effect: number, moment: CrashMoment): void;
  /** The controller cannot reach the gateway, or does not hear of it, for so long (ms). */
  failGateway(fault: GatewayFault, forMs: number): void;
}

/** What a controller does to the world. */
type Effect = 'write' | 'start' | 'stop' | 'forget' | 'publish' | 'remove';

/** Before or after an effect; or `late`: what it has sent out already takes effect only after another one has taken over. */
export type CrashMoment = 'before' | 'after' | 'late';

/** What the effect that was the controller's last one ends with. */
export class ControllerCrash extends Error {
  readonly moment: CrashMoment;

  constructor(moment: CrashMoment) {
    super(`the controller has crashed ${moment === 'late' ? 'with an effect under way' : `${moment} an effect`}`);
    this.moment = moment;
  }
}

/** What an observer of the world checks at each effect. Throws when an invariant does not hold. */
export interface Watch {
  stored(before: ServiceState | undefined, after: ServiceState | undefined, world: World): void;
  stops(instance: string, state: ServiceState | undefined, world: World): void;
  published(world: World): void;
  crashed?(moment: CrashMoment, world: World, effect: Effect): void;
}

/** How long what a dead controller has sent out is under way. */
export const lateMs = 300;
const address = 'default/service/agent' as const;

/** A small world around the real controller: in-memory machines and gateway, virtual time, faults where they are asked for. */
export async function createWorld(options: {
  readonly store: Store;
  readonly events: EventLog;
  readonly behaviours: Behaviours;
  readonly watch?: Watch;
  /** How requests end by the release's id, or its name in the route, at the moment they come; all alike unless told otherwise. */
  readonly answers?: Readonly<Record<string, Answers>>;
  /** Makes something else of every route on its way to the gateway: to see that a defect is noticed. */
  readonly tamper?: ((route: ServiceRoute) => ServiceRoute) | undefined;
  /** Of everything that is drawn. */
  readonly seed?: number;
  readonly users?: number;
  /** Answers for every source of evidence. */
  readonly measure?: (clock: VirtualClock) => Measure;
}): Promise<World> {
  const { store, events, behaviours, watch, answers = {}, seed = 7, users = 200, tamper = (route) => route } = options;
  const clock = createVirtualClock();
  const measure = options.measure && { measure: options.measure(clock) };
  const workloads = createMemoryWorkloads({
    clock,
    behaviourOf: ({ release }) => behaviours[release] ?? { readyAfter: 100, stopsAfter: 50 },
  });
  const random = seededRandom(seed);
  const traffic = createMemoryTraffic({
    random: seededRandom(seed + 1),
    answersOf: (name) => answers[name] ?? answers[releaseOfBaseline(name) ?? name] ?? ordinaryAnswers,
    isUp: (id) => workloads.isReady(id),
    users,
  });
  const line = createGatewayLine(clock);
  const crash = { countdown: Number.POSITIVE_INFINITY, moment: 'before' as CrashMoment };
  let publications = 0;
  let controller: ServiceController | undefined;
  let life = { alive: true };

  const read = async (): Promise<ServiceState | undefined> =>
    (await store.get('services', serviceKey(address)))?.value as unknown as ServiceState | undefined;

  let stored: ServiceState | undefined;
  function noteStored(value: Json): void {
    const after = value as unknown as ServiceState;
    // One that was removed and is made again is another one.
    watch?.stored(stored?.uid === after.uid ? stored : undefined, after, world);
    stored = after;
  }

  /**
   * Wraps an effect: one that belongs to a dead controller never happens, and one may be the controller's last. `late` is what comes of it
   * when it arrives only after another controller has taken over; without it, it gets lost.
   */
  function effect<Parameters extends unknown[], Result>(
    mine: { alive: boolean },
    what: Effect,
    perform: (...parameters: Parameters) => Promise<Result>,
    late?: (...parameters: Parameters) => () => Promise<unknown>,
  ) {
    return async (...parameters: Parameters): Promise<Result> => {
      if (!mine.alive) throw new Error('this controller is dead');
      crash.countdown -= 1;
      const last = crash.countdown <= 0;
      if (last) crash.countdown = Number.POSITIVE_INFINITY;
      if (last) watch?.crashed?.(crash.moment, world, what);
      if (last && crash.moment === 'late' && late) {
        const arrive = late(...parameters);
        void clock
          .sleep(lateMs)
          .then(arrive)
          .catch(() => undefined);
      }
      if (last && crash.moment !== 'after') return die(mine);
      const result = await perform(...parameters);
      return last ? die(mine) : result;
    };
  }

  function die(mine: { alive: boolean }): never {
    mine.alive = false;
    void world.replaceController();
    throw new ControllerCrash(crash.moment);
  }

  async function transact(writes: Parameters<Store['transact']>[0]): ReturnType<Store['transact']> {
    const receipt = await store.transact(writes);
    for (const write of writes) if (write.operation === 'put' && write.collection === 'services') noteStored(write.value);
    return receipt;
  }

  async function publish(route: ServiceRoute): Promise<void> {
    publications += 1;
    await traffic.publish(tamper(route));
    watch?.published(world);
  }

  function newController(mine: { alive: boolean }): ServiceController {
    const watchedStore: Store = {
      ...store,
      // The store refuses what was decided on an older version, whoever sends it.
      transact: effect(mine, 'write', transact, (writes) => () => transact(writes)),
    };
    const watchedWorkloads: MemoryWorkloads = {
      ...workloads,
      start: effect(mine, 'start', (spec) => workloads.start(spec)),
      forget: effect(mine, 'forget', (id) => workloads.forget(id)),
      stop: effect(mine, 'stop', async (id, deadlineMs) => {
        watch?.stops(id, await read(), world);
        return workloads.stop(id, deadlineMs);
      }),
    };
    const watchedTraffic = {
      ...traffic,
      inFlight: line.asks((service) => traffic.inFlight(service)),
      ask: line.asks((service, route, check) => traffic.ask(service, route, check)),
      evidence: line.asks((service, id) => traffic.evidence(service, id)),
      latencies: line.asks((service, release, quantiles) => traffic.latencies(service, release, quantiles)),
      remove: effect(
        mine,
        'remove',
        line.tells((service) => traffic.remove(service)),
      ),
      publish: effect(mine, 'publish', line.tells(publish), (route) => {
        const sent = publications;
        // The gateway refuses a table that is older than the one it has.
        return async () => (publications === sent ? publish(route) : undefined);
      }),
    } satisfies MemoryTraffic;
    const resolver: OutputResolver = { resolve: async (_, fields) => fields };
    const vault: Vault = { seal: (text) => `sealed:${text}`, open: (sealed) => sealed.slice(7), fingerprint: (text) => `sha256:${text}` };
    const ports = { workloads: watchedWorkloads, traffic: watchedTraffic, store: watchedStore };
    return createServiceController({ ...ports, vault, events, clock, random, resolver, tailOf: async () => 'its last words', ...measure });
  }

  const world: World = {
    clock,
    workloads,
    traffic,
    get controller() {
      if (!controller) throw new Error('no controller yet');
      return controller;
    },
    state: read,
    latest: () => stored,
    async replaceController() {
      life.alive = false;
      void controller?.stop();
      life = { alive: true };
      controller = newController(life);
      await controller.start();
    },
    crashAt(count, moment) {
      crash.countdown = count;
      crash.moment = moment;
    },
    failGateway: (fault, forMs) => line.fail(fault, forMs),
  };
  await world.replaceController();
  return world;
}

/** `compared`: a canary that begins with copies and has a baseline. `experiment`: one with three arms, of which one never stays up. */
export type StrategyName = 'rolling' | 'canary' | 'blue_green' | 'compared' | 'experiment';

/** Short enough for a script that waits for everything to come to rest to wait for these too. */
const ofStrategy: Readonly<Record<StrategyName, Partial<RolloutSettings>>> = {
  rolling: {},
  canary: {
    stages: [
      { weight: 10, forMs: 2_000, approval: false },
      { weight: 60, forMs: 1_000, approval: false },
    ],
  },
  compared: {
    strategy: 'canary',
    stages: [
      { weight: 0, mirror: { percent: 60, methods: ['GET'] }, forMs: 1_000, approval: false },
      { weight: 30, forMs: 2_000, approval: false },
      { weight: 70, forMs: 500, approval: false },
    ],
    baseline: true,
    analysis: { rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 1 }, latencyTolerance: 1, noData: 'continue' },
  },
  experiment: {
    strategy: 'canary',
    stages: [
      { weight: 10, forMs: 1_000, approval: false },
      { weight: 60, forMs: 500, approval: false },
    ],
    affinity: { by: 'cookie', name: 'session' },
    analysis: { rules: { alpha: 0.05, errors: { tolerate: 1 }, minUnits: 1 }, latencyTolerance: 1, noData: 'continue' },
    experiment: {
      metric: { attribute: 'outcome', value: 'resolved', goal: 'more' },
      arms: ['warm', 'broken'],
      share: 60,
      forMs: 2_000,
      minUnits: 0,
      alpha: 0.05,
      onWinner: 'hold',
    },
  },
  blue_green: { fullSet: true, keepPreviousMs: 4_000 },
};

/** A service of release `release`, as a provider would ask for it. */
export function desiredRelease(
  release: string,
  operation: string,
  extra: {
    replicas?: number;
    maxSurge?: Allowance;
    maxUnavailable?: Allowance;
    strategy?: StrategyName;
    rollout?: Partial<RolloutSettings>;
    scaling?: ScalingSettings;
  } = {},
): DesiredService {
  const { replicas = 2, maxSurge = 1, maxUnavailable = 0, strategy = 'rolling', rollout = ofStrategy[strategy], scaling } = extra;
  const revision: RevisionContent = {
    release,
    version: '1.0.0',
    directory: `/releases/${release}`,
    command: ['agent'],
    env: {},
    releaseEnv: {},
    configuration: 'sha256:0',
    health: { check: { type: 'http', path: '/healthz', timeoutMs: 100 }, intervalMs: 500, startPeriodMs: 5_000 },
  };
  const members = [
    { name: 'warm', content: { ...revision, release: `${release}-warm` } },
    { name: 'broken', content: { ...revision, release: 'crashing' } },
  ];
  return {
    address,
    environment: 'default',
    name: 'agent',
    operation,
    replicas,
    settings: {
      expose: [{ host: 'agent.localhost', path: '/' }],
      calls: [],
      drainMs: 2_000,
      ...(scaling && { scaling }),
      rollout: { strategy, maxSurge, maxUnavailable, progressDeadlineMs: 8_000, ...rollout },
    },
    revision,
    ...(strategy === 'experiment' && { arms: { of: release, members } }),
  };
}
