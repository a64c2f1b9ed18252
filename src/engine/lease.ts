import { type Clock, timestamp } from '../effects/clock.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { Json } from '../digest/json.ts';
import type { Document, Receipt, Store, Write } from '../store/store.ts';
import type { LeaseOwner } from './lease-owner.ts';

/**
 * One writer per environment. The lease (collection `leases`) says who works there; it is renewed by a heartbeat and ends by itself when
 * its holder dies. The fence (collection `fences`) is never removed, and its version, one higher with every new holder, is the fencing
 * token (Kleppmann 2016, "How to do distributed locking"): every transaction of a holder expects it, so that one who was paused, cut off
 * or unlocked changes nothing, whatever its clock says.
 */
const leases = 'leases';
const fences = 'fences';
const durationMs = 30_000;

/** What a holder is about; `run` is the id of the run it carries out. */
export interface LeaseWork {
  readonly work: 'apply' | 'destroy' | 'suspend' | 'resume' | 'edit';
  readonly run?: string;
}

/** Who holds an environment, as it is stored and shown. */
export interface LeaseHolder extends LeaseWork {
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  readonly expiresAt: string;
}

/** The right to change one environment. Held until released, lost if the store says that someone else has it. */
export interface Lease {
  /** Grows with every holder the environment has had. */
  readonly token: number;
  /** Aborted when the lease is lost. */
  readonly lost: AbortSignal;
  /** Throws `lease_lost` unless the lease is held now; renews it when its time may be up. Call it before every effect outside the store. */
  ensureHeld(): Promise<void>;
  /** A transaction of the holder. Throws `lease_lost`, and changes nothing, once another has taken over. */
  transact(writes: readonly Write[]): Promise<Receipt>;
  /** Never rejects. */
  release(): Promise<void>;
}

export interface Leases {
  /** Throws `environment_busy` while someone else holds it. */
  acquire(environment: string, work: LeaseWork): Promise<Lease>;
  /** Who holds it and whether that process may still be alive; undefined when it is free. */
  holder(environment: string): Promise<(LeaseHolder & { readonly mayBeAlive: boolean }) | undefined>;
  /** Takes the lease away from whoever has it, together with `writes`; undefined, and nothing written, when nobody has. */
  breakLease(environment: string, writes: (holder: LeaseHolder) => readonly Write[]): Promise<LeaseHolder | undefined>;
}

export function createLeases(dependencies: { readonly store: Store; readonly clock: Clock; readonly owner: LeaseOwner }): Leases {
  const { store, clock, owner } = dependencies;
  const [host = '', pid] = owner.name.split('/');
  /** Which version of each lease was first seen when, by a clock that does not jump: one that stays the same has no holder. */
  const seen = new Map<string, { readonly version: number; readonly at: number }>();
  /** Ours, so that an unlock reaches its own process at once. */
  const held = new Map<string, () => void>();

  const isOver = (environment: string, { value, version }: Document): boolean => {
    const holder = value as unknown as LeaseHolder;
    if (holder.owner === owner.name || !owner.mayBeAlive(holder.owner)) return true;
    if (Date.parse(holder.expiresAt) <= clock.now()) return true;
    const first = seen.get(environment);
    if (first?.version === version) return clock.monotonic() - first.at >= durationMs;
    seen.set(environment, { version, at: clock.monotonic() });
    return false;
  };

  const busy = async (environment: string): Promise<SluiceError> => {
    const holder = (await store.get(leases, environment))?.value as LeaseHolder | undefined;
    return sluiceError('environment_busy', { environment, holder: holder === undefined ? 'unknown' : describeHolder(holder) });
  };

  const acquire = async (environment: string, work: LeaseWork): Promise<Lease> => {
    const [found, fence] = await Promise.all([store.get(leases, environment), store.get(fences, environment)]);
    if (found !== undefined && !isOver(environment, found)) throw await busy(environment);
    const lost = new AbortController();
    const released = new AbortController();
    const since = timestamp(clock.now());
    const lease = { collection: leases, key: environment };
    /** Until when the lease is ours beyond doubt, by the wall clock that others judge by and by one that does not jump. */
    let sure = { until: 0, monotonic: 0 };

    const renewal = (ifVersion: number): Write => {
      const expiresAt = timestamp(clock.now() + durationMs);
      const value: LeaseHolder = { owner: owner.name, host, pid: Number(pid), since, expiresAt, ...work };
      return { operation: 'put', ...lease, value: { ...value } as unknown as Json, ifVersion };
    };
    const written = async (writes: readonly Write[]): Promise<Receipt> => {
      const next = { until: clock.now() + durationMs, monotonic: clock.monotonic() + durationMs };
      const receipt = await store.transact(writes);
      sure = next;
      return receipt;
    };
    const lose = (): SluiceError => {
      const error = sluiceError('lease_lost', { environment });
      if (!lost.signal.aborted) lost.abort(error);
      return error;
    };

    const entry = { operation: 'put', collection: fences, key: environment, value: { owner: owner.name, since } } as const;
    const first = [renewal(found?.version ?? 0), { ...entry, ifVersion: fence?.version ?? 0 }];
    let [version = 0, token = 0] = await written(first).catch(async (error: unknown) => {
      throw isConflict(error) ? await busy(environment) : error;
    });
    seen.delete(environment);
    held.set(environment, lose);
    const fenced: Write = { operation: 'expect', collection: fences, key: environment, ifVersion: token };

    let renewing: Promise<void> = Promise.resolve();
    /** One renewal at a time; each names the version it replaces. */
    const renew = (): Promise<void> => {
      renewing = renewing
        .catch(() => undefined)
        .then(async () => {
          if (lost.signal.aborted) throw lose();
          const receipt = await written([renewal(version), fenced]).catch((error: unknown) => {
            throw isConflict(error) ? lose() : error;
          });
          [version = 0] = receipt;
        });
      return renewing;
    };
    const beat = async (): Promise<void> => {
      while (!released.signal.aborted && !lost.signal.aborted) {
        try {
          await clock.sleep(durationMs / 3, released.signal);
          await renew();
        } catch {
          // Lost, which `lost` tells; or a fault that passes or lets the lease run out, which `ensureHeld` notices.
        }
      }
    };
    const beating = beat();

    return {
      token,
      lost: lost.signal,
      ensureHeld: async () => {
        if (lost.signal.aborted) throw lose();
        if (clock.now() >= sure.until || clock.monotonic() >= sure.monotonic) return renew();
        // An unlock, or a takeover by another's clock, is in the store before any time of ours is up.
        if ((await store.get(fences, environment))?.version !== token) throw lose();
      },
      transact: async (writes) => {
        if (lost.signal.aborted) throw lose();
        try {
          return (await store.transact([fenced, ...writes])).slice(1);
        } catch (error) {
          if (isConflict(error) && (await store.get(fences, environment))?.version !== token) throw lose();
          throw error;
        }
      },
      release: async () => {
        released.abort(new Error('released'));
        await beating;
        await renewing.catch(() => undefined);
        if (held.get(environment) === lose) held.delete(environment);
        // A lease that cannot be given back, or that is another's by now, runs out or is given way to by itself.
        await store.transact([{ operation: 'delete', ...lease, ifVersion: version }, fenced]).catch(() => undefined);
      },
    };
  };

  return {
    acquire,

    holder: async (environment) => {
      const holder = (await store.get(leases, environment))?.value as LeaseHolder | undefined;
      return holder && { ...holder, mayBeAlive: owner.mayBeAlive(holder.owner) };
    },

    breakLease: async (environment, writes) => {
      for (;;) {
        const [found, fence] = await Promise.all([store.get(leases, environment), store.get(fences, environment)]);
        if (found === undefined) return undefined;
        const holder = found.value as unknown as LeaseHolder;
        const value = { owner: `unlocked by ${owner.name}`, since: timestamp(clock.now()) };
        try {
          await store.transact([
            { operation: 'delete', collection: leases, key: environment, ifVersion: found.version },
            { operation: 'put', collection: fences, key: environment, value, ifVersion: fence?.version ?? 0 },
            ...writes(holder),
          ]);
        } catch (error) {
          // Its holder has just renewed it: the next attempt names the new version.
          if (isConflict(error)) continue;
          throw error;
        }
        if (holder.owner === owner.name) held.get(environment)?.();
        return holder;
      }
    },
  };
}

/** `host, process 12, since 2026-11-22T01:02:03.004Z, run run-4f0c`. */
export function describeHolder({ host, pid, since, work, run }: LeaseHolder): string {
  return `${host}, process ${pid}, since ${since}, ${run === undefined ? work : `run ${run}`}`;
}

function isConflict(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'store_conflict';
}
