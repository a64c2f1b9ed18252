import { z } from 'zod';
import { endings, statusClasses } from './endings.ts';

// By themselves: who counts checks nothing, and starts faster without what that takes.

const tally = z.number();

/** A sketch at one moment: a plain value that can be sent to another process. */
const sketchSnapshot = z.object({
  /** Bucket and count by turns, ascending, empty ones left out. */
  buckets: z.array(z.number()).readonly(),
  count: z.number(),
  /** Whole microseconds, so that sums do not depend on the order of their parts. */
  sumMicros: z.number(),
});

/** What has been counted of one release since the gateway began; only `inFlight` goes down. */
const releaseCounts = z.object({
  environment: z.string(),
  service: z.string(),
  release: z.string(),
  inFlight: tally,
  requests: tally,
  /** Status 5xx, no answer, or one that broke off. */
  errors: tally,
  statuses: z.record(z.enum(statusClasses), tally),
  endings: z.record(z.enum(endings), tally),
  retries: tally,
  ejections: tally,
  bytesIn: tally,
  bytesOut: tally,
  /** Requests that had to wait in the service's queue, and how long altogether (whole milliseconds). */
  queued: tally,
  queuedMs: tally,
  /** Of answered, failed and broken-off requests; `firstByte` only of those that had an answer. */
  firstByte: sketchSnapshot,
  total: sketchSnapshot,
});

/** What is at the door of a service at this moment. */
const queueState = z.object({ environment: z.string(), service: z.string(), running: tally, queued: tally });

/**
 * Outcomes of units of one release that were sent there with one chance: where users are drawn, given all that was known of each before. Only
 * randomised units: no overrides, nothing cached, refused or given up by its client; a retry is no unit of its own.
 */
const stratum = z.object({
  release: z.string(),
  /** Equal splits are the exact quotient (`1 / 3`), others are rounded to a millionth. */
  probability: z.number(),
  /** Of all releases at the draw; absent where there were two at most. */
  shares: z.record(z.string(), z.number()).optional(),
  units: tally,
  /** As above. */
  errors: tally,
  /** For each threshold, how many took longer in all. */
  exceedances: z.array(tally).readonly(),
  /** By value of the attribute; those without one are in none, those beyond the bound in `other`. */
  categories: z.record(z.string(), tally),
  /** By `counted` of the evidence; absent where nothing is. */
  counted: z.array(tally).readonly().optional(),
  /**
   * Units whose first outcome was none of it, and that met it later under the same draw: each an error once, and each threshold once. Absent
   * where there are none.
   */
  later: z.object({ errors: tally, exceedances: z.array(tally).readonly() }).optional(),
});

/** Cumulative since the evidence id, or the gateway's life (`epoch`), began. */
const evidenceCounts = z.object({
  environment: z.string(),
  service: z.string(),
  id: z.string(),
  thresholdsMs: z.array(z.number()).readonly(),
  attribute: z.string().optional(),
  counted: z
    .array(z.object({ attribute: z.string(), value: z.string() }))
    .readonly()
    .optional(),
  /** Of a unit one outcome counts in all, whatever it is drawn to later. */
  onlyFirst: z.literal(true).optional(),
  strata: z.array(stratum).readonly(),
  /**
   * Requests that were mirrored, once for the release that answered the client and once for the one that had the copy, with an even chance.
   * Never part of `strata`: no user has met the second. Absent in what an older gateway tells.
   */
  copies: z.array(stratum).readonly().optional(),
  /** What bounded memory left out, alike for all releases: outcomes of units beyond its bound, and requests of chances beyond theirs. */
  lost: z.object({ units: tally, chances: tally }),
});

export const counts = z.object({
  releases: z.array(releaseCounts).readonly(),
  queues: z.array(queueState).readonly(),
  evidence: z.array(evidenceCounts).readonly(),
});

export type SketchSnapshot = z.infer<typeof sketchSnapshot>;
export type ReleaseCounts = z.infer<typeof releaseCounts>;
export type QueueState = z.infer<typeof queueState>;
export type Stratum = z.infer<typeof stratum>;
export type EvidenceCounts = z.infer<typeof evidenceCounts>;
export type Counts = z.infer<typeof counts>;
