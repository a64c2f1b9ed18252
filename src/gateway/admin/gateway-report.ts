import { z } from 'zod';

/** What the admin listener tells: the wire form of GET /status. */
export const gatewayReport = z.object({
  pid: z.number().int(),
  /** RFC 3339. */
  startedAt: z.string(),
  /** Undefined until the first table. */
  tableVersion: z.number().int().optional(),
  stopping: z.boolean(),
  /** What carries the requests; undefined for a gateway from before there was a choice. */
  engine: z.enum(['embedded', 'haproxy']).optional(),
  /** Why it does; undefined for a gateway from before it said so. */
  engineReason: z.string().optional(),
  /** What went wrong without keeping the gateway from serving: a snapshot set aside, a port that is taken. */
  warnings: z.array(z.string()),
  internalUrl: z.string(),
  listeners: z.array(z.object({ environment: z.string(), host: z.string(), port: z.number().int(), closedBecause: z.string().optional() })),
  /** Requests, streams and WebSockets that have not ended, those on their way to an instance included. */
  inFlight: z.number().int(),
  instances: z.array(
    z.object({
      environment: z.string(),
      service: z.string(),
      release: z.string(),
      id: z.string(),
      state: z.enum(['active', 'draining', 'removed']),
      healthy: z.boolean(),
      inFlight: z.number().int(),
    }),
  ),
});
export type GatewayReport = z.infer<typeof gatewayReport>;

/** The file `process.json` in the gateway's folder: how to find, recognise and address the running process. */
export const gatewayProcess = z.object({
  pid: z.number().int(),
  startTime: z.string(),
  startedAt: z.string(),
  adminUrl: z.string(),
  /** Of Sluice; undefined for one from before it was recorded. */
  version: z.string().optional(),
});
export type GatewayProcess = z.infer<typeof gatewayProcess>;
