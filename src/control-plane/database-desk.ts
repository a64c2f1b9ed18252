import { describeError } from '../api/error-answer.ts';
import type { DatabaseDesk } from '../api/ports.ts';
import type { DatabaseWork } from '../api/schemas/database.ts';
import type { Json } from '../digest/json.ts';
import { timestamp, type Clock } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { sluiceError, toSluiceError, type SluiceError } from '../errors/sluice-error.ts';
import type { DatabaseKeeper } from '../providers/database-keeper.ts';
import type { Operation } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import type { Store } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';

export interface DatabaseDeskDependencies {
  readonly store: Store;
  /** By the name of the provider that made the database. */
  readonly keepers: Readonly<Record<string, DatabaseKeeper>>;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly conditions: DatabaseDesk['conditions'];
  /** Told of errors that are nobody's mistake but the program's. */
  readonly report: (error: SluiceError, work: string) => void;
}

export interface ControlledDatabases extends DatabaseDesk {
  /** Says of backups and restores which a control plane that is no more has left behind how they ended. After resources are resumed. */
  settleInterrupted(): Promise<void>;
  /** Ends what is under way, backwards unless it has been decided, and waits until it has ended. */
  cancelAll(): Promise<void>;
}

type Outcome = Pick<DatabaseWork, 'backup' | 'restored'>;

const collection = 'database_work';
const kept = 200;

export function createDatabaseDesk(dependencies: DatabaseDeskDependencies): ControlledDatabases {
  const { store, keepers, events, clock, random, conditions, report } = dependencies;
  const active = new Map<Address, { readonly work: DatabaseWork; readonly done: Promise<void> }>();
  const closing = new AbortController();

  const keeperOf = async (address: Address): Promise<DatabaseKeeper> => {
    const document = await store.get('resources', address);
    if (document === undefined) throw sluiceError('unknown_resource', { address });
    const { provider } = document.value as unknown as ResourceState;
    const keeper = keepers[provider];
    if (keeper === undefined) throw sluiceError('database_not_kept', { address, provider });
    return keeper;
  };

  const save = async (work: DatabaseWork): Promise<void> => {
    await store.transact([{ operation: 'put', collection, key: work.id, value: work as unknown as Json }]);
  };

  const all = async (): Promise<readonly DatabaseWork[]> =>
    (await store.list(collection)).map(({ value }) => value as unknown as DatabaseWork);

  const tell = async (work: DatabaseWork, type: Parameters<EventLog['publish']>[0]['type'], message: string): Promise<void> => {
    const [environment = ''] = work.address.split('/');
    const level = work.status === 'failed' ? 'error' : 'info';
    await events.publish({ type, level, message, environment, address: work.address, data: { work: work.id, by: work.by } });
  };

  const finish = async (work: DatabaseWork): Promise<void> => {
    await save(work);
    const subject = `database/${work.address.split('/')[2] ?? ''}`;
    if (work.status === 'failed') {
      const type = work.kind === 'backup' ? 'database.backup_failed' : 'database.restore_failed';
      await tell(work, type, work.error?.message ?? `the ${work.kind} failed`);
    } else if (work.kind === 'backup') await tell(work, 'database.backed_up', `${subject} has the base backup ${work.backup?.id ?? ''}`);
    else await tell(work, 'database.restored', `${subject} is what it was at ${work.restored?.recoveredTo ?? work.to ?? ''}`);
  };

  const perform = async (work: DatabaseWork, task: (operation: Operation) => Promise<Outcome>): Promise<void> => {
    let told: Promise<unknown> = Promise.resolve();
    const progress = (message: string): void => {
      if (work.kind === 'restore') told = told.then(() => tell(work, 'database.restoring', message)).catch(() => undefined);
    };
    let end: DatabaseWork;
    try {
      const outcome = await task({ id: work.id, signal: closing.signal, progress });
      end = { ...work, ...outcome, status: 'succeeded', finishedAt: timestamp(clock.now()) };
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (error.code === 'internal_error') report(error, work.id);
      end = { ...work, status: 'failed', finishedAt: timestamp(clock.now()), error: describeError(error) };
    }
    await told;
    await finish(end);
  };

  const begin = async (
    address: Address,
    more: Pick<DatabaseWork, 'kind' | 'by' | 'to'>,
    task: (operation: Operation) => Promise<Outcome>,
  ): Promise<DatabaseWork> => {
    const [, , name = ''] = address.split('/');
    const other = active.get(address);
    if (other) throw sluiceError('database_busy', { name, kind: other.work.kind, work: other.work.id });
    const work: DatabaseWork = { id: newId('work', random), address, status: 'running', startedAt: timestamp(clock.now()), ...more };
    const saved = save(work);
    const done = saved
      .then(() => perform(work, task))
      .catch((thrown: unknown) => report(toSluiceError(thrown), work.id))
      .finally(() => active.delete(address));
    active.set(address, { work, done });
    await saved;
    return work;
  };

  return {
    conditions,
    backups: async (environment, name) => {
      const address = addressOf(environment, name);
      return (await keeperOf(address)).backups(address);
    },
    startBackup: async (environment, name, by) => {
      const address = addressOf(environment, name);
      const keeper = await keeperOf(address);
      return begin(address, { kind: 'backup', by }, async (operation) => {
        const backup = await keeper.backup(address, operation);
        await keeper.prune(address);
        return { backup };
      });
    },
    planRestore: async (environment, name, to) => {
      const address = addressOf(environment, name);
      return (await keeperOf(address)).planRestore(address, to);
    },
    startRestore: async (environment, name, to, by) => {
      const address = addressOf(environment, name);
      const keeper = await keeperOf(address);
      const plan = await keeper.planRestore(address, to);
      return begin(address, { kind: 'restore', by, to: plan.to }, async (operation) => ({
        restored: await keeper.restore(address, to, operation),
      }));
    },
    work: async (environment, name, id) => {
      const work = (await store.get(collection, id))?.value as unknown as DatabaseWork | undefined;
      if (work?.address !== addressOf(environment, name)) throw sluiceError('unknown_database_work', { id });
      return work;
    },

    settleInterrupted: async () => {
      const works = (await all()).toSorted((left, right) => right.startedAt.localeCompare(left.startedAt));
      for (const work of works.filter(({ status }) => status === 'running')) {
        const restored =
          work.kind === 'restore' && (await (await keeperOf(work.address).catch(() => undefined))?.wasRestored(work.address, work.id));
        const finishedAt = timestamp(clock.now());
        if (restored) await finish({ ...work, status: 'succeeded', finishedAt });
        else {
          const error = describeError(sluiceError('database_work_interrupted', { kind: work.kind }));
          await finish({ ...work, status: 'failed', finishedAt, error });
        }
      }
      const old = works.slice(kept);
      if (old.length > 0) await store.transact(old.map(({ id }) => ({ operation: 'delete', collection, key: id })));
    },

    cancelAll: async () => {
      closing.abort(new Error('the control plane is ending'));
      await Promise.all(Array.from(active.values(), ({ done }) => done));
    },
  };
}

function addressOf(environment: string, name: string): Address {
  return `${environment}/database/${name}`;
}
