import { toSluiceError } from '../../errors/sluice-error.ts';
import type { ListenerState } from '../data-plane.ts';
import { type BoundSocket, bindSocket } from '../listening/bound-socket.ts';
import type { ListenerRoute } from '../routing-table.ts';
import type { OpenBind } from './generation.ts';

/**
 * The public sockets HAProxy listens on by inheritance. They are held here and never accepted from: while HAProxy is started again the kernel
 * goes on taking connections into their queues.
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
  commit(): void;
  discard(): void;
}

interface Open {
  readonly bind: OpenBind;
  readonly socket: BoundSocket;
}

export interface ListenersDependencies {
  /** A HAProxy that goes on from before this process has the address open. */
  readonly isTakenOver: (host: string, port: number) => boolean;
  /** Where it listens so that nobody can listen beside it: has it listen no more. */
  readonly makeRoom: (host: string, port: number) => Promise<void>;
  /** Sockets by `host:port` that the process before handed over. */
  readonly inherited: ReadonlyMap<string, BoundSocket>;
  /** Where what comes in at the address is passed on to. */
  readonly relayOf: (name: string) => string;
}

export function createListeners({ isTakenOver, makeRoom, inherited, relayOf }: ListenersDependencies): Listeners {
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
    // One of another address at the same port gives way for it only when it serves.
    const isShared = isTakenOver(host, port) || open.values().some(({ bind }) => bind.port === port);
    const { socket } = given === undefined ? await bindSocket(host, port, isShared ? 'besides' : 'later') : { socket: given };
    const name = `l${count}`;
    count += 1;
    return { bind: { host, port, name, fd: socket.fd, relay: relayOf(name) }, socket };
  };
  const bindsOf = (entries: Iterable<Open>): readonly OpenBind[] => Array.from(entries, ({ bind }) => bind);

  return {
    prepare: async (listeners, tolerateTakenPorts) => {
      const opened = new Map<string, Open>();
      const failed = new Map<string, string>();
      const discard = (): void => {
        for (const { socket } of opened.values()) socket.close();
      };
      for (const { host, port } of listeners) {
        const address = `${host}:${port}`;
        if (open.has(address) || opened.has(address)) continue;
        try {
          opened.set(address, await openOne(host, port));
        } catch (error) {
          if (!tolerateTakenPorts) {
            discard();
            throw error;
          }
          failed.set(address, toSluiceError(error).message);
        }
      }
      const kept = new Map(opened);
      const listed = new Set(listeners.map(({ host, port }) => `${host}:${port}`));
      for (const [address, entry] of open) if (listed.has(address)) kept.set(address, entry);
      return {
        binds: bindsOf(kept.values()),
        hasChanged: opened.size > 0 || kept.size !== open.size,
        commit: () => {
          for (const [address, entry] of open) {
            if (kept.has(address)) continue;
            entry.socket.close();
            open.delete(address);
          }
          for (const [address, entry] of opened) open.set(address, entry);
          wanted = listeners;
          failures = failed;
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
