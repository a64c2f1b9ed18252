import { z } from 'zod';
import type { EvidenceRoute, ServiceRoute } from '../routing-table.ts';
import { sharesFrom } from '../routing/shares.ts';
import type { Ending } from './meter.ts';
import { sketchSnapshot } from './sketch.ts';

/** Ways a request ends, in the order of their counters; `Ending` is the contract. */
export const endings = ['answered', 'failed', 'aborted', 'abandoned', 'refused', 'cached', 'switched'] as const satisfies readonly Ending[];

/** By the first digit of the status; `none`: no answer was given. */
export const statusClasses = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

const tally = z.number();

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
export const evidenceCounts = z.object({
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

export type ReleaseCounts = z.infer<typeof releaseCounts>;
export type QueueState = z.infer<typeof queueState>;
export type Stratum = z.infer<typeof stratum>;
export type EvidenceCounts = z.infer<typeof evidenceCounts>;
export type Counts = z.infer<typeof counts>;

/** What a table says of a service that matters here. */
export type MeasuredService = Pick<ServiceRoute, 'environment' | 'name' | 'backends' | 'evidence' | 'experiment'>;

/** What is counted of a service under one id. */
export interface CountedRoute extends EvidenceRoute {
  /** Of units alone, and of each the first outcome that says the attribute. */
  readonly firstSaid?: true;
}

/** All that a table asks to be counted of a service, with the key of each. */
export function countedRoutes({ environment, name, evidence, experiment }: MeasuredService): readonly (readonly [string, CountedRoute])[] {
  const routes: CountedRoute[] = [
    ...(evidence ? [evidence] : []),
    ...(experiment ? [{ ...experiment, latencyThresholdsMs: [], firstSaid: true as const }] : []),
  ];
  return routes.map((route) => [evidenceKey({ environment, service: name, thresholdsMs: route.latencyThresholdsMs, ...route }), route]);
}

export const noCounts: Counts = { releases: [], queues: [], evidence: [] };

export function releaseKey({ environment, service, release }: Pick<ReleaseCounts, 'environment' | 'service' | 'release'>): string {
  return `${environment}\n${service}\n${release}`;
}

type EvidenceIdentity = Pick<EvidenceCounts, 'environment' | 'service' | 'id' | 'thresholdsMs' | 'attribute' | 'counted'>;

/** Counts are comparable only when all of this is the same. */
export function evidenceKey({ environment, service, id, thresholdsMs, attribute, counted }: EvidenceIdentity): string {
  const values = counted?.map(({ attribute: of, value }) => [of, value]) ?? [];
  return JSON.stringify([environment, service, id, thresholdsMs, attribute ?? null, values]);
}

export function stratumKey({ release, probability, shares }: Pick<Stratum, 'release' | 'probability' | 'shares'>): string {
  return shares === undefined ? `${release}\n${probability}` : `${release}\n${sharesFrom(shares).key}`;
}
