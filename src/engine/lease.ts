import { hostname } from 'node:os';
import { type Clock, timestamp } from '../effects/clock.ts';
import { identify, isAlive } from '../effects/processes.ts';
import { SluiceError, sluiceError } from '../errors/sluice-error.ts';
import type { Store } from '../store/store.ts';

const collection = 'leases';
const durationMs = 30_000;

/** Who holds a lease, and how to tell whether another holder still lives. */
export interface LeaseOwner {
  readonly name: string;
  /** False only when it is certain: then its lease is taken over at once, without waiting for its end. */
  mayBeAlive(name: string): boolean;
}

/** The right to change one environment. Held until released, lost if the store says that someone else has it. */
export interface Lease {
  /** Aborted when the lease is lost. */
  readonly lost: AbortSignal;
  /** Throws `lease_lost` unless the lease is surely still held. Call it before every effect. */
  assertHeld(): void;
  /** Never rejects. */
  release(): Promise<void>;
}

/** This process, recognised on the same machine even if its pid is used again. */
export function processOwner(): LeaseOwner {
  const host = hostname();
  const name = `${host}/${process.pid}/${identify(process.pid)?.startTime ?? ''}`;
  return {
    name,
    mayBeAlive: (other) => {
      const [otherHost, pid, startTime = ''] = other.split('/');
      return otherHost !== host || isAlive({ pid: Number(pid), startTime });
    },
  };
}

/**
 * Takes the lease of an environment and renews it until released. Every renewal names the version it replaces, so of two that believe
 * to hold it one learns that it does not. Throws `environment_busy` while someone else holds it.
 */
export async function acquireLease(
  { store, clock, owner }: { readonly store: Store; readonly clock: Clock; readonly owner: LeaseOwner },
  environment: string,
): Promise<Lease> {
  const lost = new AbortController();
  const released = new AbortController();
  let expiresAt = 0;

  const write = async (ifVersion: number): Promise<number> => {
    const until = clock.now() + durationMs;
    const value = { owner: owner.name, expiresAt: timestamp(until) };
    const [version] = await store.transact([{ operation: 'put', collection, key: environment, value, ifVersion }]);
    expiresAt = until;
    return version as number;
  };

  const found = await store.get(collection, environment);
  const holder = found?.value as { readonly owner: string; readonly expiresAt: string } | undefined;
  const busy = (name: string) => sluiceError('environment_busy', { environment, holder: name.split('/').slice(0, 2).join(', process ') });
  if (holder && holder.owner !== owner.name && Date.parse(holder.expiresAt) > clock.now() && owner.mayBeAlive(holder.owner)) {
    throw busy(holder.owner);
  }
  let version = await write(found?.version ?? 0).catch((error: unknown) => {
    throw isConflict(error) ? busy('unknown') : error;
  });

  const renew = async (): Promise<void> => {
    while (!released.signal.aborted && !lost.signal.aborted) {
      try {
        await clock.sleep(durationMs / 3, released.signal);
        version = await write(version);
      } catch (error) {
        // Any other error passes or lets the lease run out, which `assertHeld` notices.
        if (isConflict(error)) lost.abort(sluiceError('lease_lost', { environment }));
      }
    }
  };
  const renewing = renew();

  return {
    lost: lost.signal,
    assertHeld: () => {
      if (lost.signal.aborted || clock.now() >= expiresAt) throw sluiceError('lease_lost', { environment });
    },
    release: async () => {
      released.abort(new Error('released'));
      await renewing;
      // A lease that cannot be given back, or that is another's by now, runs out or is given way to by itself.
      await store.transact([{ operation: 'delete', collection, key: environment, ifVersion: version }]).catch(() => undefined);
    },
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'store_conflict';
}
