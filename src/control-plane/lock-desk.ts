import type { LockDesk, RunBook } from '../api/ports.ts';
import type { LockView } from '../api/schemas/lock.ts';
import type { Engine } from '../engine/engine.ts';
import type { LeaseHolder } from '../engine/lease.ts';
import { sluiceError } from '../errors/sluice-error.ts';

/** Leases as people see them: with the name of whoever started the run. */
export function createLockDesk({ engine, runs }: { engine: Pick<Engine, 'lock' | 'unlock'>; runs: Pick<RunBook, 'get'> }): LockDesk {
  const holderOf = async (holder: LeaseHolder & { mayBeAlive: boolean }): Promise<NonNullable<LockView['holder']>> => {
    const { host, pid, since, expiresAt, work, run: id, mayBeAlive } = holder;
    const run = id === undefined ? undefined : await runs.get(id).catch(() => undefined);
    const why = { ...(run?.by !== undefined && { by: run.by }), ...(run?.reason !== undefined && { reason: run.reason }) };
    return { host, pid, since, expiresAt, work, ...(id !== undefined && { run: id }), ...why, mayBeAlive };
  };

  return {
    get: async (environment) => {
      const holder = await engine.lock(environment);
      return { environment, ...(holder && { holder: await holderOf(holder) }) };
    },
    unlock: async (environment, since, actor) => {
      const before = await engine.lock(environment);
      const holder = await engine.unlock(environment, actor.name, since);
      if (holder === undefined) throw sluiceError('not_locked', { environment });
      return { environment, holder: await holderOf({ ...holder, mayBeAlive: before?.mayBeAlive ?? true }) };
    },
  };
}
