import { publicAddresses, type PublicAddress } from '../listening/public-address.ts';
import type { ListenerRoute, RoutingTable } from '../routing-table.ts';

/** One address the gateway accepts connections at. Which environment a public one belongs to is the table's affair. */
export interface Door {
  /** `host:port`, or the path of a unix socket; its name. */
  readonly address: string;
  /** `relayed`: another program accepts at the public address, and passes on what it does not answer itself. */
  readonly side: 'public' | 'encrypted' | 'internal' | 'relayed';
  readonly host: string;
  readonly port: number;
}

export function publicDoor({ host, port, isEncrypted }: PublicAddress): Door {
  return { address: `${host}:${port}`, side: isEncrypted ? 'encrypted' : 'public', host, port };
}

export function internalDoor(host: string, port: number): Door {
  return { address: `${host}:${port}`, side: 'internal', host, port };
}

/** Where connections come in that were accepted at the public address by another program. */
export function relayedDoor(path: string, { host, port }: { readonly host: string; readonly port: number }): Door {
  return { address: path, side: 'relayed', host, port };
}

/** The listener by address of the public doors of a table. */
export function listenersOf(table: RoutingTable): ReadonlyMap<string, ListenerRoute> {
  return new Map(
    table.listeners.flatMap((listener) => publicAddresses(listener).map((each) => [publicDoor(each).address, listener] as const)),
  );
}
