import { z } from '@hono/zod-openapi';
import { timestamp } from './names.ts';

const rate = z.number();
const milliseconds = z.number().optional();

const release = z
  .object({
    environment: z.string(),
    service: z.string(),
    release: z.string(),
    inFlight: z.number().int().openapi({ description: 'Requests that are with an instance at this moment' }),
    requests: z.number().int().openapi({ description: 'Since the gateway began' }),
    errors: z.number().int().openapi({ description: 'Status 5xx, no answer, or one that broke off; since the gateway began' }),
    ejections: z.number().int().openapi({ description: 'Instances taken out for failing; since the gateway began' }),
    requestsPerSecond: rate,
    errorsPerSecond: rate,
    retriesPerSecond: rate,
    cacheHitsPerSecond: rate,
    refusedPerSecond: rate.openapi({ description: 'Turned away by limits before they reached an instance' }),
    bytesInPerSecond: rate,
    bytesOutPerSecond: rate,
    p50: milliseconds.openapi({ description: 'Milliseconds to the end of the answer, within 1 %; absent when nothing was answered' }),
    p95: milliseconds,
    p99: milliseconds,
    firstByteP50: milliseconds,
    firstByteP95: milliseconds,
    firstByteP99: milliseconds,
  })
  .readonly();

const queue = z.object({ environment: z.string(), service: z.string(), running: z.number().int(), queued: z.number().int() }).readonly();

export const gatewayView = z
  .object({
    pid: z.number().int(),
    startedAt: timestamp,
    engine: z.enum(['embedded', 'haproxy']).openapi({ description: 'What carries the requests' }),
    publicUrls: z.record(z.string(), z.string()).openapi({ description: 'By environment; only those that are being served' }),
    inFlight: z.number().int(),
    warnings: z.array(z.string()).readonly(),
    windowSeconds: z.number().openapi({ description: 'What rates and latencies are of: the last ten seconds, less while it is young' }),
    releases: z.array(release).readonly(),
    queues: z.array(queue).readonly().openapi({ description: 'Of services with a limit' }),
  })
  .readonly()
  .openapi('Gateway');

export const gatewayUpgrade = z
  .object({
    pid: z.number().int().openapi({ description: 'The main process that serves now' }),
    replaced: z.number().int().openapi({ description: 'The one before; it finishes what it had' }),
    version: z.string(),
  })
  .readonly()
  .openapi('GatewayUpgrade');

export type GatewayUpgrade = z.infer<typeof gatewayUpgrade>;
export type GatewayView = z.infer<typeof gatewayView>;
