import { publicAddresses, type PublicAddress } from '../listening/public-address.ts';
import type { ListenerRoute, RoutingTable } from '../routing-table.ts';

/** One address the gateway accepts connections at. Which environment a public one belongs to is the table's affair. */
export interface Door {
  /** `host:port`; its name. */
  readonly address: string;
  readonly side: 'public' | 'encrypted' | 'internal';
  readonly host: string;
  readonly port: number;
}

export function publicDoor({ host, port, isEncrypted }: PublicAddress): Door {
  return { address: `${host}:${port}`, side: isEncrypted ? 'encrypted' : 'public', host, port };
}

export function internalDoor(host: string, port: number): Door {
  return { address: `${host}:${port}`, side: 'internal', host, port };
}

/** The listener by address of the public doors of a table. */
export function listenersOf(table: RoutingTable): ReadonlyMap<string, ListenerRoute> {
  return new Map(
    table.listeners.flatMap((listener) => publicAddresses(listener).map((each) => [publicDoor(each).address, listener] as const)),
  );
}
