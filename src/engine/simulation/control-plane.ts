import type { Clock } from '../../effects/clock.ts';
import { seededRandom } from '../../effects/random.ts';
import { createEngine, type Engine } from '../engine.ts';
import { createPlanner, type Planner } from '../planner.ts';
import { createProviderRegistry } from '../../providers/registry.ts';
import type { Store, Write } from '../../store/store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import type { Moment, Process } from './process.ts';
import { checked, type Faults, simulatedProvider } from './provider.ts';
import { simulatedVault } from './vault.ts';
import type { World } from './world.ts';

/** How and when a control plane dies or stops for a while, counted in effects (each has a moment before and one after it). */
export interface Fate {
  readonly crashAt?: number;
  readonly pauseAt?: number;
  readonly cancelAt?: number;
}

/** One process of Sluice over the shared store and cloud. */
export interface ControlPlane {
  readonly name: string;
  readonly planner: Planner;
  readonly engine: Engine;
  /** Aborted when its user cancels. */
  readonly cancelled: AbortSignal;
  /** Moments of effects so far. */
  moments(): number;
  alive(): boolean;
  /** Resolves when it dies. */
  readonly died: Promise<void>;
}

/** Longer than a lease lasts. */
const pauseMs = 45_000;

export function startControlPlane(
  world: World,
  settings: { readonly name: string; readonly fate: Fate; readonly faults: Faults },
): ControlPlane {
  const { name, fate, faults } = settings;
  const { scheduler, tally } = world;
  const random = seededRandom(Math.floor(world.random.next() * 2 ** 32));
  const death = Promise.withResolvers<void>();
  const cancel = new AbortController();
  let alive = true;
  let moments = 0;
  let pausedUntil = 0;

  const living = async (): Promise<void> => {
    if (!alive) await new Promise<never>(() => {});
  };
  const awake = async (): Promise<void> => {
    const left = pausedUntil - scheduler.clock.now();
    if (alive && left > 0) await scheduler.clock.sleep(left);
    await living();
  };

  const moment = async (at: Moment): Promise<void> => {
    moments += 1;
    if (moments === fate.cancelAt) {
      tally.cancellations += 1;
      cancel.abort(new Error('cancelled'));
    }
    // What a provider was told it does: fencing guards the store, so a pause that matters falls before a write to it.
    if (at === 'before a write' && pausedUntil === 0 && fate.pauseAt !== undefined && moments >= fate.pauseAt) {
      tally.pauses += 1;
      pausedUntil = scheduler.clock.now() + pauseMs;
      world.trace.add(`${name} is paused`);
    }
    if (moments === fate.crashAt) {
      alive = false;
      tally.crashes += 1;
      world.trace.add(`${name} dies`);
      death.resolve();
    }
    await awake();
  };

  const store = processStore(world, { name, living, awake, moment });
  const clock: Clock = {
    ...scheduler.clock,
    sleep: async (milliseconds, signal) => {
      await scheduler.clock.sleep(milliseconds, signal);
      await awake();
    },
  };
  const owner = { name, mayBeAlive: (other: string): boolean => world.mayBeAlive(other) };
  const provider = simulatedProvider(world, { name, random, faults, living, awake, moment });
  const dependencies = {
    store,
    clock,
    random,
    vault: simulatedVault,
    providers: createProviderRegistry({ environmentProviders: { simulated: provider }, kindProviders: [] }),
  };
  return {
    name,
    planner: createPlanner(dependencies),
    engine: createEngine({ ...dependencies, events: createEventLog({ store, clock }), owner }),
    cancelled: cancel.signal,
    moments: () => moments,
    alive: () => alive,
    died: death.promise,
  };
}

function processStore({ store, scheduler, ledger, tally, tamper }: World, { name, awake, moment }: Process): Store {
  const reading = async <Result>(answer: Promise<Result>): Promise<Result> => {
    const result = await answer;
    await awake();
    return result;
  };
  return {
    get: (...given) => reading(store.get(...given)),
    list: (...given) => reading(store.list(...given)),
    read: (...given) => reading(store.read(...given)),
    last: (...given) => reading(store.last(...given)),
    transact: async (given) => {
      const writes = tamper(given);
      await moment('before a write');
      await scheduler.turn(`${name} writes ${writes.map(labelOf).join(', ')}`);
      tally.effects += 1;
      await awake();
      const receipt = await store.transact(writes);
      checked(scheduler, () => ledger.committed(name, writes));
      await moment('after a write');
      return receipt;
    },
    close: () => store.close(),
  };
}

function labelOf(write: Write): string {
  if (write.operation === 'append') return write.log;
  return `${write.operation} ${write.collection}/${write.key}@${write.ifVersion ?? '-'}`;
}
