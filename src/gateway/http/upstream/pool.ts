import type { Instance } from '../../balancing/instance.ts';
import type { Limits } from '../limits.ts';
import { UpstreamConnection } from './connection.ts';

/** Kept connections, one pool per instance, so that they can be closed with it. */
export interface Pools {
  /** The connection that was used last, as it is the likeliest to be open, or undefined: then `open` one. */
  take(instance: Instance): UpstreamConnection | undefined;
  /** `maySwitch`: for a request that asks for another protocol. */
  open(instance: Instance, maySwitch: boolean): UpstreamConnection;
  /** After a table switch: an instance that drains keeps no idle connection, so that it can end at once when its work is done. */
  settle(): void;
  /** The instance has no work and is gone. */
  forget(instance: Instance): void;
  /** Closes what has been idle for too long. */
  expire(now: number): void;
  close(): void;
}

interface Pool {
  /** The one that was idle for longest comes first. */
  readonly idle: UpstreamConnection[];
  keeps: boolean;
}

/**
 * As many as a worker has requests of one instance at once, or a burst would open and close connections all the time, which costs twice what the
 * requests do. They are kept for moments only.
 */
const idleAtMost = 4_096;

export function createPools(limits: Limits, now: () => number): Pools {
  const pools = new Map<Instance, Pool>();

  const poolOf = (instance: Instance): Pool => {
    let pool = pools.get(instance);
    if (pool === undefined) {
      pool = { idle: [], keeps: true };
      pools.set(instance, pool);
    }
    return pool;
  };

  const closeIdle = (pool: Pool): void => {
    for (const connection of pool.idle.splice(0)) connection.drop();
  };

  return {
    take: (instance) => {
      const pool = pools.get(instance);
      if (pool === undefined) return undefined;
      for (;;) {
        const connection = pool.idle.pop();
        if (connection === undefined || connection.idleUntil > now()) return connection;
        connection.drop();
      }
    },
    open: (instance, maySwitch) => {
      const pool = poolOf(instance);
      return new UpstreamConnection(instance, maySwitch, limits, {
        idle: (connection, idleMs) => {
          if (!pool.keeps || instance.state !== 'active' || pool.idle.length >= idleAtMost || idleMs <= 0) {
            connection.drop();
            return;
          }
          connection.idleUntil = now() + Math.min(idleMs, limits.upstreamKeepAliveMs);
          pool.idle.push(connection);
        },
        closed: (connection) => {
          const index = pool.idle.indexOf(connection);
          if (index !== -1) pool.idle.splice(index, 1);
        },
      });
    },
    settle: () => {
      for (const [instance, pool] of pools) if (instance.state !== 'active') closeIdle(pool);
    },
    forget: (instance) => {
      const pool = pools.get(instance);
      if (pool === undefined) return;
      pools.delete(instance);
      pool.keeps = false;
      closeIdle(pool);
    },
    expire: (at) => {
      for (const { idle } of pools.values()) {
        for (const connection of idle.filter((each) => each.idleUntil <= at)) connection.drop();
      }
    },
    close: () => {
      for (const pool of pools.values()) {
        pool.keeps = false;
        closeIdle(pool);
      }
    },
  };
}
