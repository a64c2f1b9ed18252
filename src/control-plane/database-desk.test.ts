import { beforeEach, describe, expect, it } from 'vitest';
import { type AuditLog, createAuditLog } from '../audit/audit-log.ts';
import { systemClock } from '../effects/clock.ts';
import { systemRandom } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { DatabaseKeeper } from '../providers/database-keeper.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createEventLog } from '../telemetry/event-log.ts';
import { until } from '../testing/conditions.ts';
import { type ControlledDatabases, createDatabaseDesk } from './database-desk.ts';

const address = 'production/database/db';
const to = '2026-11-22T10:00:00.000000Z';
const backup = { id: 'backup-1', startedAt: to, stoppedAt: to, bytes: 1 };
const order = { actor: { key: 'key-1', name: 'operator', role: 'operator' as const }, reason: 'a table was dropped' };

const unused = (): never => {
  throw new Error('not asked of by the desk');
};

const ended = (desk: ControlledDatabases, id: string) =>
  until('the operation has ended', async () => {
    const operation = await desk.operation('production', 'db', id);
    return operation.status === 'running' ? undefined : operation;
  });

describe('the desk of databases', () => {
  let store: ReturnType<typeof createMemoryStore>;
  let audit: AuditLog;
  let restore: DatabaseKeeper['restore'];

  const open = (): ControlledDatabases => {
    const keeper: DatabaseKeeper = {
      list: unused,
      observe: unused,
      backupDue: unused,
      backups: unused,
      backup: async () => backup,
      prune: async () => ({ backups: 0, segments: 0 }),
      planRestore: async () => ({ to, backup, segments: 1 }),
      restore: (...given) => restore(...given),
      wasRestored: async () => false,
    };
    return createDatabaseDesk({
      store,
      keepers: { local: keeper },
      events: createEventLog({ store, clock: systemClock }),
      audit,
      clock: systemClock,
      random: systemRandom,
      conditions: () => [],
      report: (error) => {
        throw error;
      },
    });
  };

  beforeEach(async () => {
    store = createMemoryStore();
    const keeper = { read: async () => undefined, write: async () => undefined };
    audit = createAuditLog({ store, vault: { fingerprint: (text) => `sha256:${text}` }, clock: systemClock, keeper });
    restore = async () => ({ recoveredTo: to, backup: backup.id });
    await store.transact([{ operation: 'put', collection: 'resources', key: address, value: { provider: 'local' } }]);
  });

  it('records a restore: who, to which time, why, and how it ended', async () => {
    const desk = open();
    const { id } = await desk.startRestore('production', 'db', to, order);
    await ended(desk, id);
    const said = { action: 'database.restore', environment: 'production', target: address, run: id, details: { to } };
    expect(await audit.read(0, 9)).toMatchObject([
      { ...said, actor: { name: 'operator', key: 'key-1' }, phase: 'begun', reason: 'a table was dropped' },
      { ...said, actor: { name: 'operator' }, phase: 'ended', outcome: 'succeeded' },
    ]);
  });

  it('records that a restore has failed after it was begun', async () => {
    restore = () => Promise.reject(sluiceError('database_restore_failed', { name: 'db', reason: 'no space left' }));
    const desk = open();
    await ended(desk, (await desk.startRestore('production', 'db', to, order)).id);
    expect((await audit.read(0, 9)).at(-1)).toMatchObject({ phase: 'ended', outcome: 'failed', error: 'database_restore_failed' });
  });

  it('records a backup that somebody asked for', async () => {
    const desk = open();
    await ended(desk, (await desk.startBackup('production', 'db', { actor: order.actor })).id);
    expect(await audit.read(0, 9)).toMatchObject([
      { action: 'database.backup', target: address, phase: 'begun' },
      { action: 'database.backup', target: address, phase: 'ended', outcome: 'succeeded' },
    ]);
  });

  it('records the end of what another control plane has left behind', async () => {
    restore = () => new Promise(() => undefined);
    await open().startRestore('production', 'db', to, order);
    await open().settleInterrupted();
    expect((await audit.read(0, 9)).at(-1)).toMatchObject({ phase: 'ended', outcome: 'failed', error: 'database_operation_interrupted' });
  });
});
