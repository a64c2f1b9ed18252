import { digestJson } from '../digest/digest.ts';
import { type Json, jsonEquals } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import { type EvaluableFlag, evaluable } from './evaluate.ts';
import type { FlagDocuments } from './flag-documents.ts';

/** All flags of one environment as they are served at a moment. */
export interface FlagSet {
  readonly environment: string;
  /** Grows with every change; 0 before the first. */
  readonly revision: number;
  readonly changedAt: string | undefined;
  /** Of everything that decides what is served: two sets with one digest serve the same. */
  readonly digest: string;
  /** One that serves what it did in the set before is the same object: what was evaluated with it stays true. */
  readonly flags: ReadonlyMap<string, EvaluableFlag>;
  /** The same in order. */
  readonly list: readonly EvaluableFlag[];
}

/** Flags in memory: evaluating costs no look into the store, and goes on while the store is away. */
export interface FlagSets {
  /** Loaded at its first use. */
  of(environment: string): Promise<FlagSet>;
  /** Environments that have flags. */
  environments(): Promise<readonly string[]>;
  /** Loads what has changed and tells those who follow. For whoever has changed something. */
  refresh(environment: string): Promise<FlagSet>;
  /** The set as soon as it is newer than `after`, then each newer one, until the signal is aborted. Passes over revisions that came at once. */
  follow(environment: string, after: number, signal: AbortSignal): AsyncIterable<FlagSet>;
  /** Notices what other control planes over the same store change. Ends with the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** A flag, and all that decided about how it was compiled. */
interface CompiledBy {
  readonly by: Json;
  readonly flag: EvaluableFlag;
}

/** How long a change by another control plane may stay unnoticed. */
const pollMs = 500;

export function createFlagSets({ documents, clock }: { readonly documents: FlagDocuments; readonly clock: Clock }): FlagSets {
  const loaded = new Map<string, FlagSet>();
  const loading = new Map<string, Promise<FlagSet>>();
  const compiled = new Map<string, ReadonlyMap<string, CompiledBy>>();
  let changed = Promise.withResolvers<void>();

  const load = async (environment: string): Promise<FlagSet> => {
    // The revision is read first: what is changed in between makes the set newer than it says, and is read again.
    const known = (await documents.revisions()).get(environment);
    const records = await documents.list(environment);
    const serving = records.map(({ name, definition, override }): Json => [name, definition as unknown as Json, servedBy(override)]);
    const compiledBefore = compiled.get(environment);
    const entries = records.map((record, index): CompiledBy => {
      const known = compiledBefore?.get(record.name);
      const by = serving[index] as Json;
      return known !== undefined && jsonEquals(known.by, by) ? known : { by, flag: evaluable(record) };
    });
    compiled.set(environment, new Map(entries.map((entry) => [entry.flag.name, entry])));
    const before = loaded.get(environment);
    const set: FlagSet = {
      environment,
      revision: known?.revision ?? 0,
      changedAt: known?.changedAt,
      digest: digestJson(serving).slice('sha256:'.length, 'sha256:'.length + 16),
      flags: new Map(entries.map(({ flag }) => [flag.name, flag])),
      list: entries.map(({ flag }) => flag),
    };
    if (before !== undefined && before.revision > set.revision) return before;
    loaded.set(environment, set);
    if (before !== undefined && before.revision !== set.revision) {
      const told = changed;
      changed = Promise.withResolvers<void>();
      told.resolve();
    }
    return set;
  };

  /** One load at a time; who asks during one gets the next, for it may have read before the change. */
  const refresh = (environment: string): Promise<FlagSet> => {
    const previous = loading.get(environment);
    const next = (previous ?? Promise.resolve()).catch(() => undefined).then(() => load(environment));
    loading.set(environment, next);
    const settled = (): void => {
      if (loading.get(environment) === next) loading.delete(environment);
    };
    next.then(settled, settled);
    return next;
  };

  const of = async (environment: string): Promise<FlagSet> => loaded.get(environment) ?? loading.get(environment) ?? refresh(environment);

  return {
    of,
    refresh,
    environments: async () => {
      const sets = await Promise.all([...(await documents.revisions()).keys()].map(of));
      return sets.filter(({ flags }) => flags.size > 0).map(({ environment }) => environment);
    },
    follow: async function* (environment, after, signal) {
      const aborted = Promise.withResolvers<void>();
      const onAbort = (): void => aborted.resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        let position = after;
        while (!signal.aborted) {
          const next = changed.promise;
          const set = await of(environment);
          if (set.revision > position) {
            position = set.revision;
            yield set;
          } else await Promise.race([next, aborted.promise]);
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(pollMs, signal).catch(() => undefined);
        if (signal.aborted) return;
        // A store that is away is no reason to stop serving: what is loaded stays.
        const revisions = await documents.revisions().catch(() => new Map<string, never>());
        for (const [environment, { revision }] of revisions) {
          const known = loaded.get(environment);
          if (known !== undefined && known.revision < revision) await refresh(environment).catch(() => undefined);
        }
      }
    },
  };
}

/** What of an override decides; who made it and why does not. */
function servedBy(override: Parameters<typeof evaluable>[0]['override']): Json {
  if (override === undefined) return null;
  const { by: _, at: __, reason: ___, ...deciding } = override;
  return deciding;
}
