import type { Json } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import type { Document, Store } from '../store/store.ts';
import { type CountedEvaluation, type FlagUsage, flagUsage, merged } from './usage.ts';
import { createUsageTally, type UsageTally } from './usage-tally.ts';

/** Counts evaluations in memory and brings them to the store from time to time: a crash loses the counts of some seconds. */
export interface UsageKeeper {
  count(environment: string, flag: string, evaluation: CountedEvaluation): void;
  /** All there is, what is not in the store yet included. By the name of the flag. */
  of(environment: string): Promise<ReadonlyMap<string, FlagUsage>>;
  /** Forgets a flag that is gone. */
  forget(environment: string, flag: string): Promise<void>;
  /** Writes what was counted. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
  /** Flushes until the signal is aborted, and a last time then. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const collection = 'flag-usage';
const intervalMs = 10_000;

export function createUsageKeeper({ store, clock }: { readonly store: Store; readonly clock: Clock }): UsageKeeper {
  let pending = new Map<string, UsageTally>();
  /** What could not be written yet. */
  let unwritten = new Map<string, FlagUsage>();

  const write = async (key: string, usage: FlagUsage): Promise<void> => {
    const [environment = '', name = ''] = key.split('/');
    const [document, flag] = await Promise.all([store.get(collection, key), store.get('flags', `${environment}/${name}`)]);
    if (flag === undefined) return;
    const value = (document === undefined ? usage : merged(usageOf(document), usage)) as unknown as Json;
    await store.transact([{ operation: 'put', collection, key, value, ifVersion: document?.version ?? 0 }]);
  };

  /** What is in memory, by its key in the store. */
  const held = (): Map<string, FlagUsage> => {
    const all = new Map(unwritten);
    for (const [key, tally] of pending) {
      const known = all.get(key);
      all.set(key, known === undefined ? tally.usage() : merged(known, tally.usage()));
    }
    return all;
  };

  const flush = async (): Promise<void> => {
    const batch = held();
    pending = new Map();
    unwritten = new Map();
    for (const [key, usage] of batch) {
      await write(key, usage).catch(() => {
        const since = unwritten.get(key);
        unwritten.set(key, since === undefined ? usage : merged(since, usage));
      });
    }
  };

  return {
    count: (environment, flag, evaluation) => {
      const key = `${environment}/${flag}`;
      const now = clock.now();
      const known = pending.get(key);
      const tally = known ?? createUsageTally(now);
      if (known === undefined) pending.set(key, tally);
      tally.add(evaluation, now);
    },
    of: async (environment) => {
      const stored = (await store.list(collection, `${environment}/`)).map((document): [string, FlagUsage] => [
        document.key.slice(environment.length + 1),
        usageOf(document),
      ]);
      const all = new Map(stored);
      for (const [key, usage] of held()) {
        if (!key.startsWith(`${environment}/`)) continue;
        const name = key.slice(environment.length + 1);
        const known = all.get(name);
        all.set(name, known === undefined ? usage : merged(known, usage));
      }
      return all;
    },
    forget: async (environment, flag) => {
      const key = `${environment}/${flag}`;
      pending.delete(key);
      unwritten.delete(key);
      await store.transact([{ operation: 'delete', collection, key }]);
    },
    flush,
    run: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(intervalMs, signal).catch(() => undefined);
        await flush();
      }
    },
  };
}

function usageOf({ value }: Document): FlagUsage {
  return flagUsage.parse(value);
}
