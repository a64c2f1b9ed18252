import { type Digest, digestJson } from '../digest/digest.ts';
import type { Json } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import type { Random } from '../effects/random.ts';
import type { Address } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import type { EventLog, NewEvent } from '../telemetry/events.ts';
import type { DriftFinder, DriftItem } from './drift.ts';
import type { Engine } from './engine.ts';
import { loadStates } from './states.ts';

export interface DriftLoopDependencies {
  readonly finder: Pick<DriftFinder, 'find'>;
  readonly engine: Pick<Engine, 'lock'>;
  readonly store: Store;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  /** Between two looks at an environment; each wait is between 80 % and 120 % of it. */
  readonly intervalMs: number;
  readonly onError: (error: unknown, environment: string) => void;
}

export interface DriftLoop {
  /** Looks at every environment again and again until the signal is aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** One look at one environment; tells what has changed since the last. An environment that is being changed is passed over. */
  look(environment: string): Promise<void>;
}

/** Of each environment, what was last told of each resource: only what is new is told. */
const collection = 'drift';
type Told = Readonly<Record<Address, Digest>>;

export function createDriftLoop(dependencies: DriftLoopDependencies): DriftLoop {
  const { finder, engine, store, events, clock, random, intervalMs, onError } = dependencies;

  const look = async (environment: string): Promise<void> => {
    if ((await engine.lock(environment)) !== undefined) return;
    const { items } = await finder.find(environment);
    const document = await store.get(collection, environment);
    const before = (document?.value ?? {}) as Told;
    const unknown = new Set(items.filter(({ status }) => status === 'unknown').map(({ address }) => address));
    const differing = items.filter(({ status }) => status === 'changed' || status === 'absent');
    const now: Record<Address, Digest> = Object.fromEntries(differing.map((item) => [item.address, digestJson(saidOf(item))]));
    // What could not be read this time is neither better nor worse.
    for (const address of unknown) if (before[address] !== undefined) now[address] = before[address];
    const told: NewEvent[] = [
      ...differing.filter(({ address }) => before[address] !== now[address]).map((item) => found(environment, item)),
      ...(Object.keys(before) as Address[])
        .filter((address) => now[address] === undefined)
        .map((address) => repaired(environment, address)),
    ];
    if (told.length === 0) return;
    const put = { operation: 'put', collection, key: environment, value: now as Json, ifVersion: document?.version ?? 0 } as const;
    await store.transact([put, ...told.map((event) => events.entry(event))]);
    events.announce();
  };

  const round = async (signal: AbortSignal): Promise<void> => {
    const states = await loadStates(store);
    for (const environment of new Set(Array.from(states.values(), ({ state }) => state.environment))) {
      if (signal.aborted) return;
      await look(environment).catch((error: unknown) => onError(error, environment));
    }
  };

  return {
    look,
    run: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(intervalMs * (0.8 + 0.4 * random.next()), signal).catch(() => undefined);
        if (!signal.aborted) await round(signal).catch((error: unknown) => onError(error, ''));
      }
    },
  };
}

function saidOf({ status, fields }: DriftItem): Json {
  const differing = fields.filter(({ accepted }) => !accepted).map(({ field, observed }): Json => [field, observed]);
  return [status, differing];
}

function found(environment: string, { address, kind, name, status, fields }: DriftItem): NewEvent {
  const differing = fields.filter(({ accepted }) => !accepted);
  const what =
    status === 'absent'
      ? 'is gone'
      : differing.map(({ field, applied, observed }) => `${field} was ${short(applied)}, is ${short(observed)}`).join('; ');
  const told = differing.map(({ field, applied, observed }) => ({ field, applied, observed }));
  const data = { kind, status, fields: told };
  return { type: 'drift.found', level: 'warning', message: `${kind}/${name}: ${what}`, environment, address, data };
}

function repaired(environment: string, address: Address): NewEvent {
  const [, kind, name] = address.split('/');
  return { type: 'drift.repaired', level: 'info', message: `${kind}/${name} is as it was applied again`, environment, address };
}

function short(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
