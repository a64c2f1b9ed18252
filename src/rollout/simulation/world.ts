import type { Json } from '../../digest/json.ts';
import { seededRandom } from '../../effects/random.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { OutputResolver } from '../../engine/output-resolver.ts';
import type { Vault } from '../../secrets/vault.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import { takeLead } from '../../store/lead.ts';
import type { Store, Write } from '../../store/store.ts';
import type { EventLog } from '../../telemetry/events.ts';
import { releaseOfBaseline } from '../baseline.ts';
import { createServiceController, type ServiceController } from '../service-controller.ts';
import { serviceKey } from '../service-documents.ts';
import type { ServiceState } from '../service-state.ts';
import { type Answers, ordinaryAnswers } from './answers.ts';
import type { Measure } from '../sources/measure.ts';
import { address } from './desired-release.ts';
import { createFaultyLine, type LineFault } from './faulty-line.ts';
import type { Traffic } from '../traffic.ts';
import { createMemoryTraffic, type MemoryTraffic, type ServedVariant } from './memory-traffic.ts';
import { createMemoryWorkloads, type Behaviour, type MemoryWorkloads } from './memory-workloads.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

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
  /** How many controllers there have been. */
  readonly lives: () => number;
  /** Another controller takes the lead, and this one lives on for so long (ms) and does not know. */
  outlive(forMs: number): Promise<void>;
  /** Ends the controller in order. */
  end(): Promise<void>;
  /** Has the controller die at its effect number `effect` from now on; another one takes over. */
  crashAt(effect: number, moment: CrashMoment): void;
  /** The controller cannot reach the gateway, or does not hear of it, for so long (ms). */
  failGateway(fault: LineFault, forMs: number): void;
  /** The gateway ends with what was under way in it; another one serves by what it should have been told after so long (ms). */
  killGateway(forMs: number): void;
  /** The store refuses to write, or writes and does not say so, for so long (ms). */
  failStore(fault: LineFault, forMs: number): void;
}

/** One control plane, from its beginning until it dies. */
export interface Life {
  readonly store: Store;
  readonly traffic: Traffic;
  readonly controller: ServiceController;
  readonly signal: AbortSignal;
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
  /** One that had lost the lead has changed something all the same. */
  outdated?(effect: Effect, world: World): void;
}

/** How long what a dead controller has sent out is under way. */
export const lateMs = 300;

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
  /** What a flag serves. */
  readonly variant?: () => ServedVariant;
  /** What else a control plane does, from the beginning of its life to its end. */
  readonly beside?: (life: Life, world: World) => void;
  /** Told of everything that has become durable. */
  readonly wrote?: (writes: readonly Write[], world: World) => void;
}): Promise<World> {
  const { store, events, behaviours, watch, answers = {}, seed = 7, users = 200, tamper = (route) => route, variant } = options;
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
    ...(variant && { variant }),
  });
  // Before any controller hears of it.
  workloads.onExit((id) => traffic.lose(id));
  const line = createFaultyLine(clock, (fault) => sluiceError('gateway_unreachable', { reason: `it is ${fault}` }));
  const storeLine = createFaultyLine(clock, (fault) => sluiceError('store_unavailable', { path: 'memory', reason: `it is ${fault}` }));
  const crash = { countdown: Number.POSITIVE_INFINITY, moment: 'before' as CrashMoment };
  let publications = 0;
  let lives = 0;
  let controller: ServiceController | undefined;
  let life = newLife();

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
    mine: Living,
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

  function die(mine: Living): never {
    mine.alive = false;
    void world.replaceController();
    throw new ControllerCrash(crash.moment);
  }

  const transactOn = (to: Store): Store['transact'] => storeLine.tells((writes) => transact(to, writes));

  async function transact(to: Store, writes: readonly Write[]): ReturnType<Store['transact']> {
    const receipt = await to.transact(writes);
    for (const write of writes) if (write.operation === 'put' && write.collection === 'services') noteStored(write.value);
    options.wrote?.(writes, world);
    return receipt;
  }

  /** What only the one that has the lead may do. */
  function leading<Parameters extends unknown[], Result>(
    mine: Living,
    what: Effect,
    perform: (...parameters: Parameters) => Promise<Result>,
  ): (...parameters: Parameters) => Promise<Result> {
    return async (...parameters) => {
      const isOutdated = mine !== life;
      const result = await perform(...parameters);
      if (isOutdated) watch?.outdated?.(what, world);
      return result;
    };
  }

  async function publish(route: ServiceRoute): Promise<void> {
    publications += 1;
    await traffic.publish(tamper(route));
    watch?.published(world);
  }

  async function newController(mine: Living): Promise<ServiceController> {
    const led = await takeLead(store, { holder: 'a control plane', clock });
    const watchedStore: Store = {
      ...store,
      // The store refuses what was decided on an older version, whoever sends it.
      transact: effect(mine, 'write', leading(mine, 'write', transactOn(led)), (writes) => () => transactOn(store)(writes)),
    };
    /** Routes are in the store too. */
    const routed = async (change: () => Promise<void>): Promise<void> => {
      await led.transact([]);
      await change();
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
        leading(
          mine,
          'remove',
          line.tells((service) => routed(() => traffic.remove(service))),
        ),
      ),
      publish: effect(
        mine,
        'publish',
        leading(
          mine,
          'publish',
          line.tells((route) => routed(() => publish(route))),
        ),
        (route) => {
          const sent = publications;
          // The gateway refuses a table that is older than the one it has.
          return async () => (publications === sent ? publish(route) : undefined);
        },
      ),
    } satisfies MemoryTraffic;
    const resolver: OutputResolver = { resolve: async (_, fields) => fields };
    const vault: Vault = { seal: (text) => `sealed:${text}`, open: (sealed) => sealed.slice(7), fingerprint: (text) => `sha256:${text}` };
    const ports = { workloads: watchedWorkloads, traffic: watchedTraffic, store: watchedStore };
    const more = { vault, events, clock, random, resolver, tailOf: async () => 'its last words', ...measure };
    const made = createServiceController({ ...ports, ...more });
    options.beside?.({ store: watchedStore, traffic: watchedTraffic, controller: made, signal: mine.ended.signal }, world);
    return made;
  }

  async function begin(): Promise<void> {
    const next = newLife();
    const made = await newController(next);
    [life, controller] = [next, made];
    lives += 1;
    await made.start();
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
    lives: () => lives,
    async replaceController() {
      life.alive = false;
      life.ended.abort();
      void controller?.stop();
      await begin();
    },
    async outlive(forMs) {
      const [old, its] = [life, controller];
      await begin();
      void clock.sleep(forMs).then(() => {
        old.alive = false;
        old.ended.abort();
        return its?.stop();
      });
    },
    async end() {
      life.ended.abort();
      await controller?.stop();
    },
    crashAt(count, moment) {
      crash.countdown = count;
      crash.moment = moment;
    },
    failGateway: (fault, forMs) => line.fail(fault, forMs),
    killGateway(forMs) {
      // What is published meanwhile is kept, and is what another one begins with.
      line.fail('mute', forMs);
      traffic.end();
      void clock.sleep(forMs).then(() => traffic.begin());
    },
    failStore: (fault, forMs) => storeLine.fail(fault, forMs),
  };
  await world.replaceController();
  return world;
}

interface Living {
  alive: boolean;
  readonly ended: AbortController;
}

function newLife(): Living {
  return { alive: true, ended: new AbortController() };
}
