import type { RoutingTable } from './routing-table.ts';

export interface InstanceHealth {
  readonly key: string;
  readonly healthy: boolean;
}

export interface InstanceLoad {
  readonly key: string;
  readonly state: 'active' | 'draining' | 'removed';
  readonly inFlight: number;
}

export interface ListenerState {
  readonly environment: string;
  readonly host: string;
  readonly port: number;
  /** Why it does not accept connections; absent when it does. */
  readonly closedBecause?: string;
}

export interface PlaneReport {
  readonly inFlight: number;
  readonly instances: readonly InstanceLoad[];
  readonly listeners: readonly ListenerState[];
}

export interface PreparedSwitch {
  /** Resolves once every new request is served by the table; does not fail for a plane that lives. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Serves requests by a table. Behind it are the workers of this package, or HAProxy. What both must do is the gateway contract suite. */
export interface DataPlane {
  /** Opens the internal listener; resolves with its port once it accepts. Throws `gateway_port_taken`. */
  start(internal: { host: string; port: number }): Promise<{ internalPort: number }>;
  /**
   * Opens what the table needs and is not open yet, and makes ready to switch, without serving by it. Throws `gateway_port_taken` with
   * nothing changed. A table may follow that is older than the one in force.
   */
  prepare(table: RoutingTable, options: { tolerateTakenPorts: boolean }): Promise<PreparedSwitch>;
  /** What the health checks found; requests go to healthy ones. */
  setHealth(changes: readonly InstanceHealth[]): void;
  report(): Promise<PlaneReport>;
  /** Accepts nothing new, lets what runs finish, and breaks off what is left at the deadline. */
  drain(deadlineMs: number): Promise<void>;
}
