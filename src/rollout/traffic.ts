import type { ServiceRoute } from '../gateway/routing-table.ts';

/** How a rollout moves traffic: the port to the data plane. Throws only SluiceErrors (retry class `retry` while the gateway is away). */
export interface Traffic {
  /** Resolves once the gateway routes by it and has made it durable. Later requests see the new routing; running ones are not cut. */
  publish(route: ServiceRoute): Promise<void>;
  /** The service is no longer routed at all. Success when it was not. */
  remove(service: { environment: string; name: string }): Promise<void>;
  /** Requests, streams and WebSockets in flight, by instance id; an instance the gateway does not know is absent. */
  inFlight(service: { environment: string; name: string }): Promise<ReadonlyMap<string, number>>;
  /**
   * What the gateway has counted under this id of the route it was told last (`evidence`, `experiment`); undefined while it counts nothing.
   * Counts of one epoch only grow, but for those of other thresholds, which begin anew.
   */
  evidence(service: { environment: string; name: string }, id: string): Promise<CountedEvidence | undefined>;
  /** Latency (ms) of a release at these quantiles since the gateway began; undefined when too few requests were seen to tell. */
  latencies(
    service: { environment: string; name: string },
    release: string,
    quantiles: readonly number[],
  ): Promise<readonly number[] | undefined>;
  /**
   * Asks once through the listener of the public, as a user of this route would. What the gateway itself refuses (it is full, an instance is not
   * ready) is asked again until `timeoutMs` have passed. An answer from 200 to 399 is `ready`. Throws while the gateway is away.
   */
  ask(
    service: { environment: string; name: string },
    route: TesterRoute,
    check: { readonly path: string; readonly timeoutMs: number },
  ): Promise<TesterAnswer>;
  /** Where clients reach the environment, `http://127.0.0.1:7080`. Allocates and remembers a port the first time. */
  publicUrl(environment: string): Promise<string>;
  /** Base URL on which services call others: `<base>/<service>/<path>`. */
  internalUrl(): Promise<string>;
}

/** How a tester reaches one release: the host it asks for, and the headers that name the release where that host is not its alone. */
export interface TesterRoute {
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type TesterAnswer = { readonly ready: true } | { readonly ready: false; readonly reason: string };

interface CountedEvidence {
  /** Another one: the gateway was started anew, and counts from zero. */
  readonly epoch: string;
  /** Of the rollout that is counted. */
  readonly id: string;
  readonly strata: readonly CountedStratum[];
  /** Requests that were mirrored (of the release that answered) and their copies, with an even chance; absent where they are not counted. */
  readonly copies?: readonly CountedStratum[] | undefined;
  /** False when more chances were drawn with than the gateway keeps apart: what is missing is not missing at random. */
  readonly isComplete: boolean;
}

/** Units that were sent to a release with one and the same chance. */
export interface CountedStratum {
  readonly release: string;
  /** Chance with which a unit was sent to this release. */
  readonly probability: number;
  /** Of all releases at the draw; absent where there were two at most. */
  readonly shares?: Readonly<Record<string, number>> | undefined;
  readonly units: number;
  readonly errors: number;
  /** By latency threshold of the route: units that took longer. */
  readonly exceedances: readonly number[];
  /** By value of the attribute. */
  readonly categories: Readonly<Record<string, number>>;
  /** By value that the route has counted. */
  readonly counted?: readonly number[] | undefined;
  /** What units met only after the outcome by which they are counted: each an error once, and each threshold once. */
  readonly later?: { readonly errors: number; readonly exceedances: readonly number[] } | undefined;
}
