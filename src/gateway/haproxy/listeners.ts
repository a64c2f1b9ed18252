import { sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import type { ListenerState } from '../data-plane.ts';
import type { ListenerRoute } from '../routing-table.ts';
import type { OpenBind } from './generation.ts';
import { type HeldSocket, holdSocket } from './process/held-socket.ts';

/** The listening sockets of the plane. */
export interface Listeners {
  openInternal(host: string, port: number): OpenBind;
  /**
   * Opens what is not open yet. Throws `gateway_port_taken` with nothing changed, unless taken ports are tolerated. `commit` closes what is no
   * longer listed.
   */
  prepare(wanted: readonly ListenerRoute[], tolerateTakenPorts: boolean): PreparedListeners;
  binds(): readonly OpenBind[];
  states(): readonly ListenerState[];
  /** Listed ones that could not be opened. */
  missing(): number;
  /** By `host:port`; a successor may be given them. */
  sockets(): ReadonlyMap<string, HeldSocket>;
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
  readonly held: HeldSocket;
}

/** `isTakenOver`: a HAProxy that goes on from before this process has the address open. `inherited`: sockets by `host:port` that the process before handed over. */
export function createListeners(
  isTakenOver: (host: string, port: number) => boolean,
  inherited: ReadonlyMap<string, HeldSocket> = new Map(),
): Listeners {
  const handedOver = new Map(inherited);
  const open = new Map<string, Open>();
  let wanted: readonly ListenerRoute[] = [];
  let failures = new Map<string, string>();
  let count = 0;

  const openOne = (host: string, port: number, side: OpenBind['side']): Open => {
    const name = `l${count}`;
    count += 1;
    const given = handedOver.get(`${host}:${port}`);
    handedOver.delete(`${host}:${port}`);
    const held = given ?? holdSocket(host, port, isTakenOver(host, port));
    return { bind: { host, port: held.port, name, side, fd: held.fd }, held };
  };
  const bindsOf = (entries: Iterable<Open>): readonly OpenBind[] => Array.from(entries, ({ bind }) => bind);

  return {
    openInternal: (host, port) => {
      const entry = openOne(host, port, 'internal');
      open.set('internal', entry);
      return entry.bind;
    },
    prepare: (listeners, tolerateTakenPorts) => {
      const opened = new Map<string, Open>();
      const failed = new Map<string, string>();
      const discard = (): void => {
        for (const { held } of opened.values()) held.close();
      };
      for (const { host, port } of listeners) {
        const address = `${host}:${port}`;
        if (open.has(address)) continue;
        try {
          if (open.get('internal')?.bind.port === port) throw sluiceError('gateway_port_taken', { address, reason: 'EADDRINUSE' });
          opened.set(address, openOne(host, port, 'public'));
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
      for (const [address, entry] of open) if (address === 'internal' || listed.has(address)) kept.set(address, entry);
      return {
        binds: bindsOf(kept.values()),
        hasChanged: opened.size > 0 || kept.size !== open.size,
        commit: () => {
          for (const [address, entry] of open) {
            if (kept.has(address)) continue;
            entry.held.close();
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
    sockets: () => new Map(Array.from(open.values(), ({ bind, held }) => [`${bind.host}:${bind.port}`, held])),
    close: () => {
      for (const { held } of open.values()) held.close();
      open.clear();
    },
  };
}
