import type { Clock } from '../../effects/clock.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import type { RoutingTable } from '../routing-table.ts';
import type { FrontServer } from './front-server.ts';
import { listen } from './listen.ts';

type Listener = RoutingTable['listeners'][number];

interface ListenerStatus extends Listener {
  /** Why it does not accept connections; absent when it does. */
  readonly closedBecause?: string;
}

/** The public listeners, opened before a table is applied and closed after. */
export interface PublicListeners {
  /**
   * Opens what the list has and is not open yet. Throws `gateway_port_taken`, with nothing changed, when one cannot be opened. The result
   * puts the list in force, closing the rest: it cannot fail. `discard` undoes the opening instead.
   */
  prepare(listeners: readonly Listener[]): Promise<{ commit(): void; discard(): void }>;
  /** Like prepare and commit, but a port that is taken is tried again and again: a start from the snapshot must not fail for one. */
  restore(listeners: readonly Listener[]): Promise<void>;
  status(): readonly ListenerStatus[];
  /** Accepts no more; what runs goes on. */
  close(): void;
  /** Ends connections that are left. */
  destroy(): void;
}

interface Open {
  readonly server: FrontServer;
  environment: string | undefined;
}

const retryMs = 500;

export function createPublicListeners(createServer: (environment: () => string | undefined) => FrontServer, clock: Clock): PublicListeners {
  const open = new Map<string, Open>();
  const leaving = new Set<FrontServer>();
  let wanted: readonly Listener[] = [];
  let failures = new Map<string, string>();
  let generation = 0;

  const openOne = async ({ host, port, environment }: Listener): Promise<Open> => {
    const entry: Open = { server: createServer(() => entry.environment), environment };
    await listen(entry.server.server, host, port);
    return entry;
  };

  const closeOne = ({ server }: Open): void => {
    leaving.add(server);
    server.close(() => leaving.delete(server));
  };

  const putInForce = (listeners: readonly Listener[], opened: ReadonlyMap<string, Open>): void => {
    generation += 1;
    wanted = listeners;
    for (const [address, entry] of opened) open.set(address, entry);
    const kept = new Map(listeners.map((listener) => [addressOf(listener), listener]));
    for (const [address, entry] of open) {
      const listener = kept.get(address);
      entry.environment = listener?.environment;
      if (listener !== undefined) continue;
      open.delete(address);
      closeOne(entry);
    }
    failures = new Map([...failures].filter(([address]) => kept.has(address) && !open.has(address)));
  };

  const retry = async (own: number): Promise<void> => {
    for (;;) {
      if (own !== generation || failures.size === 0) return;
      await clock.sleep(retryMs);
      for (const listener of wanted.filter((each) => failures.has(addressOf(each)))) {
        const entry = await openOne(listener).catch(() => undefined);
        if (entry === undefined) continue;
        if (own !== generation) {
          closeOne(entry);
          return;
        }
        open.set(addressOf(listener), entry);
        failures.delete(addressOf(listener));
      }
    }
  };

  return {
    prepare: async (listeners) => {
      const opened = new Map<string, Open>();
      const discard = (): void => {
        for (const entry of opened.values()) closeOne(entry);
      };
      try {
        for (const listener of listeners) {
          if (!open.has(addressOf(listener))) opened.set(addressOf(listener), await openOne(listener));
        }
      } catch (error) {
        discard();
        throw error;
      }
      return { commit: () => putInForce(listeners, opened), discard };
    },
    restore: async (listeners) => {
      const opened = new Map<string, Open>();
      for (const listener of listeners) {
        try {
          opened.set(addressOf(listener), await openOne(listener));
        } catch (error) {
          failures.set(addressOf(listener), toSluiceError(error).message);
        }
      }
      putInForce(listeners, opened);
      retry(generation).catch(() => {});
    },
    status: () =>
      wanted.map((listener) => {
        const reason = failures.get(addressOf(listener));
        return reason === undefined ? listener : Object.assign({ closedBecause: reason }, listener);
      }),
    close: () => {
      generation += 1;
      for (const entry of open.values()) closeOne(entry);
      open.clear();
    },
    destroy: () => {
      for (const server of leaving) server.destroy();
    },
  };
}

function addressOf(listener: Listener): string {
  return `${listener.host}:${listener.port}`;
}
