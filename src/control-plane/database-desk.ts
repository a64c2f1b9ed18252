import { auditActor } from '../api/audited.ts';
import { describeError } from '../api/error-answer.ts';
import type { DatabaseDesk, DatabaseOrder } from '../api/ports.ts';
import type { DatabaseOperation } from '../api/schemas/database.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditEntry } from '../audit/audit-record.ts';
import type { Json } from '../digest/json.ts';
import { timestamp, type Clock } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { sluiceError, toSluiceError, type SluiceError } from '../errors/sluice-error.ts';
import type { DatabaseKeeper } from '../providers/database-keeper.ts';
import type { Operation } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Address } from '../stack/stack.ts';
import type { Store, Write } from '../store/store.ts';
import type { EventLog } from '../telemetry/events.ts';

export interface DatabaseDeskDependencies {
  readonly store: Store;
  /** By the name of the provider that made the database. */
  readonly keepers: Readonly<Record<string, DatabaseKeeper>>;
  readonly events: EventLog;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly conditions: DatabaseDesk['conditions'];
  /** Told of errors that are nobody's mistake but the program's. */
  readonly report: (error: SluiceError, operation: string) => void;
}

export interface ControlledDatabases extends DatabaseDesk {
  /** Says of backups and restores which a control plane that is no more has left behind how they ended. After resources are resumed. */
  settleInterrupted(): Promise<void>;
  /** Ends what is under way, backwards unless it has been decided, and waits until it has ended. */
  cancelAll(): Promise<void>;
}

type Outcome = Pick<DatabaseOperation, 'backup' | 'restored'>;

const collection = 'database_operations';
const kept = 200;

export function createDatabaseDesk(dependencies: DatabaseDeskDependencies): ControlledDatabases {
  const { store, keepers, events, audit, clock, random, conditions, report } = dependencies;
  const active = new Map<Address, { readonly operation: DatabaseOperation; readonly done: Promise<void> }>();
  const closing = new AbortController();

  const keeperOf = async (address: Address): Promise<DatabaseKeeper> => {
    const document = await store.get('resources', address);
    if (document === undefined) throw sluiceError('unknown_resource', { address });
    const { provider } = document.value as unknown as ResourceState;
    const keeper = keepers[provider];
    if (keeper === undefined) throw sluiceError('database_not_kept', { address, provider });
    return keeper;
  };

  const all = async (): Promise<readonly DatabaseOperation[]> =>
    (await store.list(collection)).map(({ value }) => value as unknown as DatabaseOperation);

  const tell = async (operation: DatabaseOperation, type: Parameters<EventLog['publish']>[0]['type'], message: string): Promise<void> => {
    const [environment = ''] = operation.address.split('/');
    const level = operation.status === 'failed' ? 'error' : 'info';
    await events.publish({
      type,
      level,
      message,
      environment,
      address: operation.address,
      data: { operation: operation.id, by: operation.by },
    });
  };

  const finish = async (operation: DatabaseOperation): Promise<void> => {
    await audit.append(auditedEnd(operation), [saving(operation)]);
    const subject = `database/${operation.address.split('/')[2] ?? ''}`;
    if (operation.status === 'failed') {
      const type = operation.kind === 'backup' ? 'database.backup_failed' : 'database.restore_failed';
      await tell(operation, type, operation.error?.message ?? `the ${operation.kind} failed`);
    } else if (operation.kind === 'backup')
      await tell(operation, 'database.backed_up', `${subject} has the base backup ${operation.backup?.id ?? ''}`);
    else
      await tell(operation, 'database.restored', `${subject} is what it was at ${operation.restored?.recoveredTo ?? operation.to ?? ''}`);
  };

  const perform = async (operation: DatabaseOperation, task: (operation: Operation) => Promise<Outcome>): Promise<void> => {
    let told: Promise<unknown> = Promise.resolve();
    const progress = (message: string): void => {
      if (operation.kind === 'restore') told = told.then(() => tell(operation, 'database.restoring', message)).catch(() => undefined);
    };
    let end: DatabaseOperation;
    try {
      const outcome = await task({ id: operation.id, signal: closing.signal, progress });
      end = { ...operation, ...outcome, status: 'succeeded', finishedAt: timestamp(clock.now()) };
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (error.code === 'internal_error') report(error, operation.id);
      end = { ...operation, status: 'failed', finishedAt: timestamp(clock.now()), error: describeError(error) };
    }
    await told;
    await finish(end);
  };

  const begin = async (
    address: Address,
    more: Pick<DatabaseOperation, 'kind' | 'to'>,
    { actor, reason }: DatabaseOrder,
    task: (operation: Operation) => Promise<Outcome>,
  ): Promise<DatabaseOperation> => {
    const [, , name = ''] = address.split('/');
    const other = active.get(address);
    if (other) throw sluiceError('database_busy', { name, kind: other.operation.kind, operation: other.operation.id });
    const operation: DatabaseOperation = {
      id: newId('operation', random),
      address,
      status: 'running',
      startedAt: timestamp(clock.now()),
      by: actor.name,
      ...more,
    };
    const begun: AuditEntry = {
      ...auditedOperation(operation),
      actor: auditActor(actor),
      phase: 'begun',
      ...(reason !== undefined && { reason }),
    };
    const saved = audit.append(begun, [saving(operation)]);
    const done = saved
      .then(() => perform(operation, task))
      .catch((thrown: unknown) => report(toSluiceError(thrown), operation.id))
      .finally(() => active.delete(address));
    active.set(address, { operation, done });
    await saved;
    return operation;
  };

  return {
    conditions,
    backups: async (environment, name) => {
      const address = addressOf(environment, name);
      return (await keeperOf(address)).backups(address);
    },
    startBackup: async (environment, name, order) => {
      const address = addressOf(environment, name);
      const keeper = await keeperOf(address);
      const task = async (operation: Operation): Promise<Outcome> => {
        const backup = await keeper.backup(address, operation);
        await keeper.prune(address);
        return { backup };
      };
      return begin(address, { kind: 'backup' }, order, task);
    },
    planRestore: async (environment, name, to) => {
      const address = addressOf(environment, name);
      return (await keeperOf(address)).planRestore(address, to);
    },
    startRestore: async (environment, name, to, order) => {
      const address = addressOf(environment, name);
      const keeper = await keeperOf(address);
      const plan = await keeper.planRestore(address, to);
      return begin(address, { kind: 'restore', to: plan.to }, order, async (operation) => ({
        restored: await keeper.restore(address, to, operation),
      }));
    },
    operation: async (environment, name, id) => {
      const operation = (await store.get(collection, id))?.value as unknown as DatabaseOperation | undefined;
      if (operation?.address !== addressOf(environment, name)) throw sluiceError('unknown_database_operation', { id });
      return operation;
    },

    settleInterrupted: async () => {
      const operations = (await all()).toSorted((left, right) => right.startedAt.localeCompare(left.startedAt));
      for (const operation of operations.filter(({ status }) => status === 'running')) {
        const restored =
          operation.kind === 'restore' &&
          (await (await keeperOf(operation.address).catch(() => undefined))?.wasRestored(operation.address, operation.id));
        const finishedAt = timestamp(clock.now());
        if (restored) await finish({ ...operation, status: 'succeeded', finishedAt });
        else {
          const error = describeError(sluiceError('database_operation_interrupted', { kind: operation.kind }));
          await finish({ ...operation, status: 'failed', finishedAt, error });
        }
      }
      const old = operations.slice(kept);
      if (old.length > 0) await store.transact(old.map(({ id }) => ({ operation: 'delete', collection, key: id })));
    },

    cancelAll: async () => {
      closing.abort(new Error('the control plane is ending'));
      await Promise.all(Array.from(active.values(), ({ done }) => done));
    },
  };
}

function saving(operation: DatabaseOperation): Write {
  return { operation: 'put', collection, key: operation.id, value: operation as unknown as Json };
}

function auditedOperation({ id, kind, address, to }: DatabaseOperation): Omit<AuditEntry, 'actor' | 'phase'> {
  const [environment = ''] = address.split('/');
  return { action: `database.${kind}`, environment, target: address, run: id, ...(to !== undefined && { details: { to } }) };
}

function auditedEnd(operation: DatabaseOperation): AuditEntry {
  const { by, status, error } = operation;
  const outcome = status === 'succeeded' ? 'succeeded' : 'failed';
  return { ...auditedOperation(operation), actor: { name: by }, phase: 'ended', outcome, ...(error && { error: error.code }) };
}

function addressOf(environment: string, name: string): Address {
  return `${environment}/database/${name}`;
}
