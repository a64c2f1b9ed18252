import type { ServiceRoute } from '../gateway/routing-table.ts';

/** How a rollout moves traffic: the port to the data plane. Throws only SluiceErrors (retry class `retry` while the gateway is away). */
export interface Traffic {
  /** Resolves once the gateway routes by it and has made it durable. Later requests see the new routing; running ones are not cut. */
  publish(route: ServiceRoute): Promise<void>;
  /** The service is no longer routed at all. Success when it was not. */
  remove(service: { environment: string; name: string }): Promise<void>;
  /** Requests, streams and WebSockets in flight, by instance id; an instance the gateway does not know is absent. */
  inFlight(service: { environment: string; name: string }): Promise<ReadonlyMap<string, number>>;
  /** Where clients reach the environment, `http://127.0.0.1:7080`. Allocates and remembers a port the first time. */
  publicUrl(environment: string): Promise<string>;
  /** Base URL on which services call others: `<base>/<service>/<path>`. */
  internalUrl(): Promise<string>;
}
