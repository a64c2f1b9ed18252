import type { InstanceHealth } from '../data-plane.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { RoutingTable } from '../routing-table.ts';
import type { Door } from './door.ts';
import type { Serving, ServingReport } from './serving.ts';

/** Those who accept and serve: worker processes, or this process alone. What they are told all of them do, those that come later too. */
export interface Crew {
  /** Resolves once one can take connections. Throws `gateway_start_failed`. */
  start(): Promise<void>;
  /** Throws `gateway_port_taken` when another program listens there. The socket stays the caller's to close. */
  open(door: Door, socket: BoundSocket): Promise<void>;
  /**
   * For a socket that another program accepts from: the kernel takes connections from now on, and whoever is left of the crew when this process
   * dies has the socket to hand on. Throws `gateway_port_taken` when another program listens there. The socket stays the caller's to close.
   */
  hold(address: string, socket: BoundSocket): Promise<void>;
  /** Resolves once nobody accepts there, or holds what is accepted from elsewhere. */
  close(address: string): Promise<void>;
  /** Resolves once every new request is served by the table. */
  putInForce(table: RoutingTable): Promise<void>;
  setHealth(changes: readonly InstanceHealth[]): void;
  report(): Promise<ServingReport>;
  drain(deadlineMs: number): Promise<void>;
}

/** Serves in this process. */
export function soloCrew(serving: Serving): Crew {
  return {
    start: async () => {},
    open: (door, socket) => serving.open(door, socket),
    hold: async () => {},
    close: async (address) => serving.close(address),
    putInForce: async (table) => serving.putInForce(table, []),
    setHealth: (changes) => serving.setHealth(changes),
    report: async () => serving.report(),
    drain: (deadlineMs) => serving.drain(deadlineMs),
  };
}
