import type { MeasuredService } from '../counts.ts';
import type { Finished } from '../meter.ts';
import type { RequestAbout } from '../observer.ts';
import { splitRanges } from '../../routing/split-ranges.ts';
import { type UnitDraw, unitDrawOf } from '../../routing/unit-draw.ts';

/** A quick request that was answered with 200, but for what is said. */
export function finished(partial: Partial<Finished> = {}): Finished {
  return {
    status: 200,
    ending: 'answered',
    firstByteMs: 5,
    totalMs: 10,
    bytesIn: 100,
    bytesOut: 1_000,
    retries: 0,
    queuedMs: 0,
    probability: 1,
    shares: undefined,
    draw: undefined,
    by: 'request',
    unit: 0,
    attributes: '',
    ...partial,
  };
}

/** How users are divided by these shares, the last release being the stable one. */
export function drawn(shares: Readonly<Record<string, number>>, hasShares = false, compared: readonly string[] = []): UnitDraw {
  const ranges = splitRanges(Object.values(shares).map((weight) => ({ weight })));
  return unitDrawOf(ranges, Object.keys(shares), { compared, hasShares });
}

/** A service of a table with these releases. */
export function measured(releases: readonly string[], evidence?: Partial<NonNullable<MeasuredService['evidence']>>): MeasuredService {
  return {
    environment: 'test',
    name: 'app',
    backends: releases.map((release) => ({ release, weight: 1, instances: [] })),
    ...(evidence && { evidence: { id: 'rollout-1', latencyThresholdsMs: [50, 200], ...evidence } }),
  };
}

export const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
export const parentId = '00f067aa0ba902b7';

/** A GET with a secret in its query, but for what is said. */
export function about(partial: Partial<RequestAbout> = {}): RequestAbout {
  return {
    method: 'GET',
    host: 'app.test',
    target: '/orders/7?token=hunter2',
    clientAddress: '127.0.0.1',
    requestId: 'request-1',
    traceparent: `00-${traceId}-${parentId}-01`,
    startsTrace: false,
    environment: 'test',
    service: 'app',
    release: 'r1',
    instance: 'app-1',
    ...partial,
  };
}
