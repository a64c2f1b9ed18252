import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { seededRandom } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { DatabaseCondition, DatabaseKeeper } from '../providers/database-keeper.ts';
import type { NewEvent } from '../telemetry/events.ts';
import { createDatabaseCare, type DatabaseCare } from './database-care.ts';

const hourMs = 3_600_000;
const address = 'default/database/db';
const healthy: DatabaseCondition = { usedBytes: 1, storageBytes: 100 };

const unused = (): never => {
  throw new Error('not asked of by the care');
};

/** A keeper of one database that a test turns the way it wants; it notes what it is asked to do. */
function keeperOf(now: () => number) {
  const keeper = {
    condition: healthy,
    due: Number.POSITIVE_INFINITY,
    failure: undefined as string | undefined,
    done: [] as string[],
  };
  const port: DatabaseKeeper = {
    list: async () => [address],
    observe: async () => keeper.condition,
    backupDue: async () => keeper.due,
    backup: async () => {
      keeper.done.push('backup');
      if (keeper.failure !== undefined) throw sluiceError('database_backup_failed', { name: 'db', reason: keeper.failure });
      keeper.due = now() + 24 * hourMs;
      return { id: 'backup-1', startedAt: '', stoppedAt: '', bytes: 1 };
    },
    prune: async () => {
      keeper.done.push('prune');
      return { backups: 0, segments: 0 };
    },
    backups: unused,
    planRestore: unused,
    restore: unused,
    wasRestored: unused,
  };
  return Object.assign(keeper, { port });
}

describe('the care of databases', () => {
  let now: number;
  let keeper: ReturnType<typeof keeperOf>;
  let care: DatabaseCare;
  let events: NewEvent[];
  const look = () => care.look(new AbortController().signal);
  const types = () => events.map(({ type, level }) => `${type} ${level}`);

  beforeEach(() => {
    now = Date.UTC(2026, 10, 22);
    keeper = keeperOf(() => now);
    events = [];
    const publish = async (event: NewEvent): Promise<number> => events.push(event);
    const clock = { ...systemClock, now: () => now };
    care = createDatabaseCare({
      keeper: keeper.port,
      events: { publish },
      clock,
      random: seededRandom(1),
      report: (error) => {
        throw error;
      },
    });
  });

  it('backs up when it is due, prunes after it, and then once an hour', async () => {
    keeper.due = now + hourMs;
    await look();
    expect(keeper.done).toEqual(['prune']);
    now += hourMs;
    await look();
    expect(keeper.done).toEqual(['prune', 'backup', 'prune']);
    await look();
    expect(keeper.done).toHaveLength(3);
    expect(types()).toEqual(['database.backed_up info']);
  });

  it('makes up at once what was missed, one backup and not one for each day', async () => {
    keeper.due = now - 72 * hourMs;
    await look();
    await look();
    expect(keeper.done.filter((step) => step === 'backup')).toHaveLength(1);
  });

  it('tells of a failed backup once, tries again after ten minutes, and takes the condition back when it worked', async () => {
    keeper.due = now;
    keeper.failure = 'no space left';
    await look();
    await look();
    expect(keeper.done.filter((step) => step === 'backup')).toHaveLength(1);
    expect(care.conditions(address)).toMatchObject([{ type: 'backup', level: 'error', message: expect.stringContaining('no space left') }]);
    now += 600_000;
    await look();
    expect(types()).toEqual(['database.backup_failed error']);
    keeper.failure = undefined;
    now += 600_000;
    await look();
    expect(care.conditions(address)).toEqual([]);
    expect(types()).toEqual(['database.backup_failed error', 'database.backed_up info']);
  });

  it('warns at 80% of the storage, raises the alarm at 95%, and says when there is room again; each once', async () => {
    for (const usedBytes of [79, 80, 94, 95, 99, 40]) {
      keeper.condition = { usedBytes: usedBytes * 2 ** 30, storageBytes: 100 * 2 ** 30 };
      await look();
      await look();
    }
    expect(types()).toEqual(['database.storage warning', 'database.storage error', 'database.storage info']);
    expect(events[0]?.message).toBe('database/db uses 80 of the 100 GiB declared (80%)');
    expect(care.conditions(address)).toEqual([]);
  });

  it('tells that the log is not archived, and that it is again', async () => {
    keeper.condition = { ...healthy, archiveFailure: { since: '2026-11-22T00:00:00.000Z', reason: 'segment X could not be archived' } };
    await look();
    expect(care.conditions(address)).toMatchObject([{ type: 'archive', level: 'error' }]);
    keeper.condition = healthy;
    await look();
    expect(types()).toEqual(['database.archive_failing error', 'database.archiving info']);
    expect(care.conditions(address)).toEqual([]);
  });

  it('ends without an error when it is told to', async () => {
    const closing = new AbortController();
    const running = care.run(closing.signal);
    closing.abort();
    await running;
    expect(keeper.done).toEqual([]);
  });
});
