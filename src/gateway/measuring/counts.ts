import type { EvidenceRoute, ServiceRoute } from '../routing-table.ts';
import { sharesFrom } from '../routing/shares.ts';
import type { Counts, EvidenceCounts, ReleaseCounts, Stratum } from './counts-schema.ts';

export type { Counts, EvidenceCounts, QueueState, ReleaseCounts, Stratum } from './counts-schema.ts';

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
