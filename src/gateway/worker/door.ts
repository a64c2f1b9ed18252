import type { RoutingTable } from '../routing-table.ts';

/** One address the gateway accepts connections at. Which environment a public one belongs to is the table's affair. */
export interface Door {
  /** `host:port`; its name. */
  readonly address: string;
  readonly side: 'public' | 'internal';
  readonly host: string;
  readonly port: number;
}

export function publicDoor({ host, port }: { readonly host: string; readonly port: number }): Door {
  return { address: `${host}:${port}`, side: 'public', host, port };
}

export function internalDoor(host: string, port: number): Door {
  return { address: `${host}:${port}`, side: 'internal', host, port };
}

/** The environment by address of the public doors of a table. */
export function environmentsOf(table: RoutingTable): ReadonlyMap<string, string> {
  return new Map(table.listeners.map((listener) => [publicDoor(listener).address, listener.environment]));
}
