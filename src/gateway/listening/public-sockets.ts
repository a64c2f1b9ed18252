import type { Clock } from '../../effects/clock.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import type { ListenerState } from '../data-plane.ts';
import type { PublicAddress } from './public-address.ts';

/** The public addresses, opened before a table is applied and closed after. */
export interface PublicSockets {
  /**
   * Opens what the list has and is not open yet. Throws `gateway_port_taken`, with nothing changed, when one cannot be opened; with
   * `tolerateTakenPorts` it is tried again and again instead. `commit` puts the list in force and closes the rest; it cannot fail.
   */
  prepare(
    listeners: readonly PublicAddress[],
    options: { readonly tolerateTakenPorts: boolean },
  ): Promise<{ commit(): Promise<void>; discard(): Promise<void> }>;
  status(): readonly ListenerState[];
  /** Tries no more to open what is closed. */
  stop(): void;
}

/** Opens and closes one address; `open` throws `gateway_port_taken`. */
export interface Doorkeeper {
  open(address: PublicAddress): Promise<void>;
  close(address: PublicAddress): Promise<void>;
}

const retryMs = 500;

export function createPublicSockets(doors: Doorkeeper, clock: Clock): PublicSockets {
  const opened = new Map<string, PublicAddress>();
  let wanted: readonly PublicAddress[] = [];
  let failures = new Map<string, string>();
  let generation = 0;

  const putInForce = async (listeners: readonly PublicAddress[], failed: ReadonlyMap<string, string>): Promise<void> => {
    generation += 1;
    wanted = listeners;
    const kept = new Set(listeners.map(addressOf));
    failures = new Map(failed);
    if (failures.size > 0) retry(generation).catch(() => {});
    for (const [address, listener] of opened) {
      if (kept.has(address)) continue;
      opened.delete(address);
      await doors.close(listener);
    }
  };

  const retry = async (own: number): Promise<void> => {
    for (;;) {
      if (own !== generation || failures.size === 0) return;
      await clock.sleep(retryMs);
      for (const listener of wanted.filter((each) => failures.has(addressOf(each)))) {
        if (own !== generation) return;
        const isOpen = await doors.open(listener).then(
          () => true,
          () => false,
        );
        if (!isOpen) continue;
        if (own !== generation) {
          // Whoever changed the list meanwhile did not know of it.
          await doors.close(listener);
          return;
        }
        opened.set(addressOf(listener), listener);
        failures.delete(addressOf(listener));
      }
    }
  };

  return {
    prepare: async (listeners, { tolerateTakenPorts }) => {
      const fresh: PublicAddress[] = [];
      const failed = new Map<string, string>();
      const gaveWay: PublicAddress[] = [];
      const listed = new Set(listeners.map(addressOf));
      /** A port that is ours at another address, which is no longer wanted, as when 127.0.0.1 becomes 0.0.0.0: that one gives way for it. */
      const openInstead = async (listener: PublicAddress, error: unknown): Promise<void> => {
        const inTheWay = [...opened.values()].filter((each) => each.port === listener.port && !listed.has(addressOf(each)));
        if (inTheWay.length === 0) throw error;
        for (const each of inTheWay) {
          opened.delete(addressOf(each));
          gaveWay.push(each);
          await doors.close(each);
        }
        await doors.open(listener);
      };
      const discard = async (): Promise<void> => {
        for (const listener of fresh) {
          opened.delete(addressOf(listener));
          await doors.close(listener);
        }
        for (const each of gaveWay) {
          await doors.open(each).then(
            () => opened.set(addressOf(each), each),
            () => {},
          );
        }
      };
      for (const listener of listeners) {
        if (opened.has(addressOf(listener))) continue;
        try {
          await doors.open(listener).catch((error: unknown) => openInstead(listener, error));
          opened.set(addressOf(listener), listener);
          fresh.push(listener);
        } catch (error) {
          if (tolerateTakenPorts) {
            failed.set(addressOf(listener), toSluiceError(error).message);
            continue;
          }
          await discard();
          throw error;
        }
      }
      return { commit: () => putInForce(listeners, failed), discard };
    },
    status: () =>
      wanted.map((listener): ListenerState => {
        const { environment, host, port } = listener;
        const closedBecause = failures.get(addressOf(listener));
        return closedBecause === undefined ? { environment, host, port } : { environment, host, port, closedBecause };
      }),
    stop: () => {
      generation += 1;
    },
  };
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}
