import type { RequestListener, Server } from 'node:http';
import type { PlaneReport } from '../data-plane.ts';
import type { ReleaseCounts } from '../measuring/counts.ts';
import type { Limits } from '../http/limits.ts';
import type { RoutingTable, ServiceRoute } from '../routing-table.ts';

/** In what a data plane differs from the embedded one. What is named here is in docs/gateway.md; everything else must be the same. */
export interface Capabilities {
  /** Field names reach the other side in the spelling they came in; otherwise in lower case. */
  readonly keepsSpelling: boolean;
  /** A connection that is not accepted in time is told from one that is refused (504 and 502); otherwise both are 502. */
  readonly tellsConnectTimeout: boolean;
  /** A header that is too large is 431; otherwise 400. */
  readonly tellsLargeHeaders: boolean;
  /** A request that met a kept connection which was closed at that moment is repeated where that is safe; otherwise it is 502. */
  readonly repeatsOnClosedConnections: boolean;
  /** Trailer fields that frame, route or authenticate are taken out. */
  readonly filtersTrailers: boolean;
  /** A body of a request that stops coming has a limit of its own (`bodyIdleMs`). */
  readonly limitsIdleBodies: boolean;
  /** What cannot be parsed is answered in JSON with a code; otherwise by a bare 400 or 408. */
  readonly explainsBrokenRequests: boolean;
  /** Names of broken requests that are not refused, since only one reading of them is left. */
  readonly accepts: ReadonlySet<string>;
  /** Splits, cohorts, limits and rate limits. */
  readonly policies: boolean;
  /** Is told the health of instances, rather than probing them. */
  readonly isToldHealth: boolean;
}

type PartialRoute = Partial<ServiceRoute>;

/** A gateway with real sockets and real servers behind it, whichever plane serves. */
export interface GatewayUnderTest {
  readonly publicPort: number;
  readonly internalPort: number;
  /** Starts a server that plays an instance; closed with the gateway. */
  serve(handler: RequestListener): Promise<{ readonly server: Server; readonly port: number }>;
  /** Puts these services in force, all of environment `test` with the host `app.test` unless they say otherwise. */
  route(...services: readonly PartialRoute[]): Promise<RoutingTable>;
  apply(table: RoutingTable): Promise<void>;
  setHealth(service: string, id: string, port: number, healthy: boolean): void;
  report(): Promise<PlaneReport>;
  inFlight(id: string): Promise<number>;
  /** By release, over all ways requests go. */
  counts(): Promise<readonly ReleaseCounts[]>;
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface GatewayKind {
  readonly name: string;
  readonly can: Capabilities;
  create(limits?: Partial<Limits>): Promise<GatewayUnderTest>;
}
