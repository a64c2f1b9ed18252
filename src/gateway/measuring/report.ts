import { z } from 'zod';
import { counts } from './counts-schema.ts';

/** Rates and latencies of one release over the last seconds, for people and for scaling. */
const releaseRates = z.object({
  environment: z.string(),
  service: z.string(),
  release: z.string(),
  requestsPerSecond: z.number(),
  /** Status 5xx, no answer, or one that broke off. */
  errorsPerSecond: z.number(),
  retriesPerSecond: z.number(),
  ejections: z.number(),
  cacheHitsPerSecond: z.number(),
  refusedPerSecond: z.number(),
  bytesInPerSecond: z.number(),
  bytesOutPerSecond: z.number(),
  /** Milliseconds of the whole answer, and to its first byte; absent when nothing was answered. */
  p50: z.number().optional(),
  p95: z.number().optional(),
  p99: z.number().optional(),
  firstByteP50: z.number().optional(),
  firstByteP95: z.number().optional(),
  firstByteP99: z.number().optional(),
});
export type ReleaseRates = z.infer<typeof releaseRates>;

const window = z.object({
  /** How much time it covers; less than its name says when the gateway is younger. */
  seconds: z.number(),
  releases: z.array(releaseRates).readonly(),
});
export type RateWindow = z.infer<typeof window>;

/** What `GET /counts` tells: cumulative counts of one life of the gateway, and recent rates. */
export const gatewayCounts = counts.extend({
  /** Of this life: with another one all counts began again at zero. */
  epoch: z.string(),
  /** Of the counts of evidence, which outlive the gateway's processes. Absent in what an older gateway tells: as `epoch`. */
  evidenceEpoch: z.string().optional(),
  /** RFC 3339. */
  startedAt: z.string(),
  last10s: window,
  last60s: window,
});
export type GatewayCounts = z.infer<typeof gatewayCounts>;
