import { toSluiceError } from '../../errors/sluice-error.ts';
import type { ListenerState } from '../data-plane.ts';
import { type BoundSocket, bindSocket } from '../listening/bound-socket.ts';
import type { ListenerRoute } from '../routing-table.ts';
import type { Crew } from '../worker/crew.ts';
import type { OpenBind } from './generation.ts';

/**
 * The public sockets HAProxy listens on by inheritance. They are held here and by the crew, and never accepted from: while HAProxy, or this
 * process, is started again the kernel goes on taking connections into their queues.
 */
export interface Listeners {
  /**
   * Opens what is not open yet. Throws `gateway_port_taken` with nothing changed, unless taken ports are tolerated. `commit` closes what is no
   * longer listed.
   */
  prepare(wanted: readonly ListenerRoute[], tolerateTakenPorts: boolean): Promise<PreparedListeners>;
  binds(): readonly OpenBind[];
  states(): readonly ListenerState[];
  /** Listed ones that could not be opened. */
  missing(): number;
  /** By `host:port`; a successor may be given them. */
  sockets(): ReadonlyMap<string, BoundSocket>;
  close(): void;
}

interface PreparedListeners {
  readonly binds: readonly OpenBind[];
  readonly hasChanged: boolean;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

interface Open {
  readonly bind: OpenBind;
  readonly socket: BoundSocket;
}

export interface ListenersDependencies {
  /** Has the kernel take connections for a socket, and keeps it beyond this process. Throws `gateway_port_taken`. */
  readonly crew: Pick<Crew, 'hold' | 'close'>;
  /** Resolves once no HAProxy of before this process listens at the address. */
  readonly makeRoom: (host: string, port: number) => Promise<void>;
  /** Has the HAProxy of this process listen no more. */
  readonly stopAccepting: () => void;
  /** Resolves once nobody listens at the address, or some time has passed. */
  readonly awaitRoom: (host: string, port: number) => Promise<void>;
  /** Has another one serve at what is open, since what had given way is back. */
  readonly serveAgain: () => Promise<void>;
  /** Sockets by `host:port` that the process before handed over. */
  readonly inherited: ReadonlyMap<string, BoundSocket>;
  /** Where what comes in at the address is passed on to. */
  readonly relayOf: (name: string) => string;
}

export function createListeners(dependencies: ListenersDependencies): Listeners {
  const { crew, makeRoom, stopAccepting, awaitRoom, serveAgain, inherited, relayOf } = dependencies;
  const handedOver = new Map(inherited);
  const open = new Map<string, Open>();
  let wanted: readonly ListenerRoute[] = [];
  let failures = new Map<string, string>();
  let count = 0;

  const openOne = async (host: string, port: number): Promise<Open> => {
    const address = `${host}:${port}`;
    const given = handedOver.get(address);
    handedOver.delete(address);
    if (given === undefined) await makeRoom(host, port);
    const socket = given ?? (await bindSocket(host, port)).socket;
    try {
      await crew.hold(address, socket);
    } catch (error) {
      socket.close();
      throw error;
    }
    const name = `l${count}`;
    count += 1;
    return { bind: { host, port, name, fd: socket.fd, relay: relayOf(name) }, socket };
  };
  const closeOne = async ({ bind: { host, port }, socket }: Open): Promise<void> => {
    await crew.close(`${host}:${port}`);
    socket.close();
  };
  const bindsOf = (entries: Iterable<Open>): readonly OpenBind[] => Array.from(entries, ({ bind }) => bind);

  return {
    prepare: async (listeners, tolerateTakenPorts) => {
      const opened = new Map<string, Open>();
      const failed = new Map<string, string>();
      const gaveWay: Open[] = [];
      const listed = new Set(listeners.map(({ host, port }) => `${host}:${port}`));
      /** A port that is ours at another address, which is no longer wanted, as when 127.0.0.1 becomes 0.0.0.0: that one gives way for it. */
      const openInstead = async (host: string, port: number, error: unknown): Promise<Open> => {
        const inTheWay = [...open].filter(([address, { bind }]) => bind.port === port && !listed.has(address));
        if (inTheWay.length === 0) throw error;
        stopAccepting();
        for (const [address, entry] of inTheWay) {
          open.delete(address);
          gaveWay.push(entry);
          await closeOne(entry);
        }
        await awaitRoom(host, port);
        return openOne(host, port);
      };
      const discard = async (): Promise<void> => {
        for (const entry of opened.values()) await closeOne(entry);
        for (const { bind } of gaveWay) {
          const again = await openOne(bind.host, bind.port).catch(() => undefined);
          if (again !== undefined) open.set(`${bind.host}:${bind.port}`, again);
        }
        if (gaveWay.length > 0) await serveAgain();
      };
      for (const { host, port } of listeners) {
        const address = `${host}:${port}`;
        if (open.has(address) || opened.has(address)) continue;
        try {
          const entry = await openOne(host, port).catch((error: unknown) => openInstead(host, port, error));
          opened.set(address, entry);
        } catch (error) {
          if (!tolerateTakenPorts) {
            await discard();
            throw error;
          }
          failed.set(address, toSluiceError(error).message);
        }
      }
      const kept = new Map(opened);
      for (const [address, entry] of open) if (listed.has(address)) kept.set(address, entry);
      return {
        binds: bindsOf(kept.values()),
        hasChanged: opened.size > 0 || gaveWay.length > 0 || kept.size !== open.size,
        commit: async () => {
          for (const [address, entry] of opened) open.set(address, entry);
          wanted = listeners;
          failures = failed;
          for (const [address, entry] of open) {
            if (kept.has(address)) continue;
            open.delete(address);
            await closeOne(entry);
          }
        },
        discard,
      };
    },
    binds: () => bindsOf(open.values()),
    states: () =>
      wanted.map(({ environment, host, port }) => {
        const reason = failures.get(`${host}:${port}`);
        return reason === undefined ? { environment, host, port } : { environment, host, port, closedBecause: reason };
      }),
    missing: () => failures.size,
    sockets: () => new Map(Array.from(open, ([address, { socket }]) => [address, socket])),
    close: () => {
      for (const { socket } of open.values()) socket.close();
      open.clear();
    },
  };
}
