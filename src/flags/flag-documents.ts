import type { Json } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { Store, Write } from '../store/store.ts';
import { type FlagChange, type FlagRecord, flagRecord, inWords } from './flag.ts';

/** A step that is to be made: the record after it (absent when the flag goes), and the words for its history. */
interface FlagStep {
  readonly after: FlagRecord | undefined;
  readonly change: Pick<FlagChange, 'action' | 'by' | 'reason'>;
}

/** How a change becomes durable; more can be written in the same transaction. */
type Commit = (writes: readonly Write[], step: FlagStep) => Promise<unknown>;

/** Flags, the revision of each environment's set of them, and their history, in the store. */
export interface FlagDocuments {
  read(environment: string, name: string): Promise<FlagRecord | undefined>;
  list(environment: string): Promise<readonly FlagRecord[]>;
  /** Of every environment that has or had flags. */
  revisions(): Promise<ReadonlyMap<string, FlagSetRevision>>;
  /**
   * Makes a step, in one transaction with the new revision of the set and an entry of the history; tried again when somebody else was
   * faster. Nothing is changed when `decide` gives undefined.
   */
  change(
    environment: string,
    name: string,
    decide: (current: FlagRecord | undefined) => FlagStep | undefined,
    commit?: Commit,
  ): Promise<FlagRecord | undefined>;
  /** Newest first. It outlives the flag. */
  history(environment: string, name: string, limit: number): Promise<readonly FlagChange[]>;
}

interface FlagSetRevision {
  /** Grows with every change. */
  readonly revision: number;
  readonly changedAt: string;
}

const flags = 'flags';
const sets = 'flag-sets';
const attempts = 20;

export function createFlagDocuments({ store, clock }: { readonly store: Store; readonly clock: Clock }): FlagDocuments {
  const change: FlagDocuments['change'] = async (environment, name, decide, commit = (writes) => store.transact(writes)) => {
    const key = keyOf(environment, name);
    for (let attempt = 1; ; attempt += 1) {
      const [document, set] = await Promise.all([store.get(flags, key), store.get(sets, environment)]);
      const current = document === undefined ? undefined : recordOf(document.value);
      const step = decide(current);
      if (step === undefined) return current;
      const { after } = step;
      const revision = (set === undefined ? 0 : revisionOf(set.value).revision) + 1;
      const time = timestamp(clock.now());
      const entry: FlagChange = { time, ...step.change, serves: after === undefined ? '' : inWords(after) };
      const version = document?.version ?? 0;
      try {
        await commit(
          [
            after === undefined
              ? { operation: 'delete', collection: flags, key, ifVersion: version }
              : { operation: 'put', collection: flags, key, value: after as unknown as Json, ifVersion: version },
            { operation: 'put', collection: sets, key: environment, value: { revision, changedAt: time }, ifVersion: set?.version ?? 0 },
            { operation: 'append', log: logOf(environment, name), value: entry as unknown as Json },
          ],
          step,
        );
        return after;
      } catch (error) {
        const overtaken = error instanceof SluiceError && error.code === 'store_conflict';
        if (!overtaken) throw error;
        if (attempt === attempts) throw sluiceError('flag_busy', { environment, name }, { cause: error });
      }
    }
  };

  return {
    read: async (environment, name) => {
      const document = await store.get(flags, keyOf(environment, name));
      return document && recordOf(document.value);
    },
    list: async (environment) => (await store.list(flags, `${environment}/`)).map(({ value }) => recordOf(value)),
    revisions: async () => new Map((await store.list(sets)).map(({ key, value }) => [key, revisionOf(value)])),
    change,
    history: async (environment, name, limit) => {
      const log = logOf(environment, name);
      const entries = await store.read(log, Math.max(0, (await store.last(log)) - limit), limit);
      return entries.map(({ value }) => value as unknown as FlagChange).toReversed();
    },
  };
}

function keyOf(environment: string, name: string): string {
  return `${environment}/${name}`;
}

function logOf(environment: string, name: string): string {
  return `flag-history/${environment}/${name}`;
}

function recordOf(value: Json): FlagRecord {
  return flagRecord.parse(value);
}

function revisionOf(value: Json): FlagSetRevision {
  return value as unknown as FlagSetRevision;
}
