import type { Condition } from '../api/schemas/resource.ts';
import { timestamp, type Clock } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { toSluiceError, type SluiceError } from '../errors/sluice-error.ts';
import type { DatabaseCondition, DatabaseKeeper } from '../providers/database-keeper.ts';
import type { Address } from '../stack/stack.ts';
import type { EventLog, NewEvent } from '../telemetry/events.ts';

/** Looks at every database once a minute: how full it is, whether its log is archived, whether a base backup is due, what is too old. */
export interface DatabaseCare {
  /** Until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** One look at all. Never rejects because of one of them. */
  look(signal: AbortSignal): Promise<void>;
  /** What the last look found. */
  conditions(address: string): readonly Condition[];
}

const everyMs = 60_000;
/** Not at once: what begins with the control plane comes first, and several homes of one machine do not all begin together. */
const firstWithinMs = 30_000;
const pruneEveryMs = 3_600_000;
const retryMs = 600_000;
const warnAt = 0.8;
const alarmAt = 0.95;

interface Watched {
  readonly conditions: readonly Condition[];
  readonly prunedAt: number;
  readonly retryAt: number;
}

export function createDatabaseCare(dependencies: {
  readonly keeper: DatabaseKeeper;
  readonly events: Pick<EventLog, 'publish'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (error: SluiceError, address: string) => void;
}): DatabaseCare {
  const { keeper, events, clock, random, report } = dependencies;
  const watched = new Map<string, Watched>();
  const of = (address: string): Watched => watched.get(address) ?? { conditions: [], prunedAt: Number.NEGATIVE_INFINITY, retryAt: 0 };

  const publish = (address: Address, event: Pick<NewEvent, 'type' | 'level' | 'message' | 'data'>): Promise<number> =>
    events.publish({ ...event, address, environment: address.split('/')[0] ?? '' });

  /** Replaces the condition of one type; `event` is published when its level has changed. */
  const set = async (address: Address, type: Condition['type'], found: Condition | undefined, event?: NewEvent['type']): Promise<void> => {
    const before = of(address);
    const last = before.conditions.find((condition) => condition.type === type);
    const others = before.conditions.filter((condition) => condition.type !== type);
    watched.set(address, { ...before, conditions: found ? [...others, found] : others });
    if (event === undefined || last?.level === found?.level) return;
    const message = `${subjectOf(address)} ${found?.message ?? wellAgain[type]}`;
    await publish(address, { type: event, level: found?.level ?? 'info', message });
  };

  const observe = async (address: Address): Promise<void> => {
    const condition = await keeper.observe(address);
    if (!condition) return;
    await set(address, 'storage', storageCondition(condition), 'database.storage');
    const { archiveFailure } = condition;
    await set(
      address,
      'archive',
      archiveFailure && {
        type: 'archive',
        level: 'error',
        message: `cannot be restored beyond ${archiveFailure.since}: ${archiveFailure.reason}`,
      },
      archiveFailure ? 'database.archive_failing' : 'database.archiving',
    );
  };

  const backUp = async (address: Address, signal: AbortSignal): Promise<void> => {
    const due = await keeper.backupDue(address);
    if (due === undefined || due > clock.now() || of(address).retryAt > clock.now()) return;
    try {
      const { id } = await keeper.backup(address, { id: newId('care', random), signal, progress: () => undefined });
      watched.set(address, { ...of(address), prunedAt: Number.NEGATIVE_INFINITY });
      await publish(address, {
        type: 'database.backed_up',
        level: 'info',
        message: `${subjectOf(address)} has the base backup ${id}`,
        data: { backup: id },
      });
      await set(address, 'backup', undefined);
    } catch (thrown) {
      if (signal.aborted) return;
      watched.set(address, { ...of(address), retryAt: clock.now() + retryMs });
      const message = `could not be backed up at ${timestamp(clock.now())}: ${toSluiceError(thrown).message}`;
      await set(address, 'backup', { type: 'backup', level: 'error', message }, 'database.backup_failed');
    }
  };

  const prune = async (address: Address): Promise<void> => {
    if (of(address).prunedAt + pruneEveryMs > clock.now()) return;
    await keeper.prune(address);
    watched.set(address, { ...of(address), prunedAt: clock.now() });
  };

  const care: DatabaseCare = {
    conditions: (address) => watched.get(address)?.conditions ?? [],

    look: async (signal) => {
      const addresses: readonly Address[] = await keeper.list().catch((thrown: unknown) => {
        report(toSluiceError(thrown), 'databases');
        return [];
      });
      for (const address of watched.keys()) if (!addresses.includes(address as Address)) watched.delete(address);
      // Backups one after another: each reads and writes all it can.
      for (const step of [observe, (address: Address) => backUp(address, signal), prune]) {
        for (const address of addresses) {
          if (signal.aborted) return;
          await step(address).catch((thrown: unknown) => report(toSluiceError(thrown), address));
        }
      }
    },

    run: async (signal) => {
      let waitMs = Math.floor(random.next() * firstWithinMs);
      for (;;) {
        await clock.sleep(waitMs, signal).catch(() => undefined);
        if (signal.aborted) return;
        await care.look(signal);
        waitMs = everyMs;
      }
    },
  };
  return care;
}

const wellAgain: Readonly<Record<Condition['type'], string>> = {
  storage: 'has enough room again',
  archive: 'is archived again',
  backup: 'is backed up again',
};

/** Undefined while less than 80% of the declared storage are used. */
function storageCondition({ usedBytes, storageBytes }: DatabaseCondition): Condition | undefined {
  const share = storageBytes === 0 ? 0 : usedBytes / storageBytes;
  if (share < warnAt) return undefined;
  const message = `uses ${gib(usedBytes)} of the ${gib(storageBytes)} GiB declared (${Math.floor(share * 100)}%)`;
  return { type: 'storage', level: share < alarmAt ? 'warning' : 'error', message };
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 2 : 0);
}

function subjectOf(address: string): string {
  return `database/${address.split('/')[2] ?? ''}`;
}
