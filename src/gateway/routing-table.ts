import { z } from 'zod';

/**
 * What the gateway is told: complete, self-contained, replaced as a whole. It holds digests of tokens, never tokens.
 * The gateway applies a table atomically and writes it durably before it acknowledges it.
 */
const instanceRoute = z.object({
  id: z.string(),
  host: z.string(),
  port: z.number().int().min(1).max(65535),
  /** A draining instance finishes what it has and gets nothing new. */
  state: z.enum(['active', 'draining']),
});

const backendRoute = z.object({
  release: z.string(),
  /** Share of new requests relative to the other backends' weights; 0 gets none. */
  weight: z.number().min(0),
  instances: z.array(instanceRoute),
});

export const serviceRoute = z.object({
  environment: z.string(),
  name: z.string(),
  /** Public routes; empty for a service only others may call. The longest matching path prefix wins. */
  expose: z.array(z.object({ host: z.string(), path: z.string() })),
  /** Services of the same environment this one may call on the internal listener. */
  calls: z.array(z.string()),
  /** SHA-256 (hex) of each token this service may identify itself with; two while a token is rotated. */
  tokenDigests: z.array(z.string()),
  health: z.object({ path: z.string().optional(), intervalMs: z.number(), timeoutMs: z.number() }),
  backends: z.array(backendRoute),
});

export const routingTable = z.object({
  /** Grows by one with every table; an older table is refused. */
  version: z.number().int().min(0),
  /** One public listener per environment, so that environments of one stack may expose the same host. */
  listeners: z.array(z.object({ environment: z.string(), host: z.string(), port: z.number().int() })),
  services: z.array(serviceRoute),
});

export type InstanceRoute = z.infer<typeof instanceRoute>;
export type BackendRoute = z.infer<typeof backendRoute>;
export type ServiceRoute = z.infer<typeof serviceRoute>;
export type RoutingTable = z.infer<typeof routingTable>;
