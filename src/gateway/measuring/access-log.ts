import { type Clock, timestamp } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import { isError } from './evidence.ts';
import type { Finished } from './meter.ts';
import { pathOf, type RequestAbout, type RequestObserver } from './observer.ts';
import type { RotatingFile } from './rotating-file.ts';

/** Takes requests that were drawn from others too. */
export interface AccessLog extends RequestObserver {
  /** `weight`: for how many requests it stands, so that it is written with this many times the chance. */
  observe(finished: Finished, about: RequestAbout, weight?: number): void;
  /** So many requests are known of that it was not told. */
  lost(count: number): void;
  /** The share of all requests that it is to have. */
  readonly sampleRate: number;
}

/**
 * One JSON line for a share of all requests and for every error. Of a request it has the path without query and no header but the ids:
 * neither credentials nor cookies can get into it.
 */
export function createAccessLog(dependencies: {
  readonly file: RotatingFile;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'next'>;
  /** From 0 to 1; errors are written whatever it is. */
  readonly sampleRate: number;
}): AccessLog {
  const { file, clock, random, sampleRate } = dependencies;
  return {
    sampleRate,
    lost: (count) => file.lost(count),
    observe: (finished, about, weight = 1) => {
      // Without a draw where there is nothing to be drawn: randomness fit for secrets costs 2 us.
      if (!isError(finished) && (sampleRate === 0 || random.next() >= sampleRate * weight)) return;
      file.write(JSON.stringify(entryOf(finished, about, clock.now())));
    },
    close: () => file.close(),
  };
}

function entryOf(finished: Finished, about: RequestAbout, now: number): Record<string, string | number> {
  return {
    time: timestamp(now),
    request: about.requestId,
    trace: about.traceparent.slice(3, 35),
    client: about.clientAddress,
    method: about.method,
    host: about.host,
    path: pathOf(about.target),
    environment: about.environment,
    service: about.service,
    release: about.release,
    instance: about.instance,
    status: finished.status,
    ending: finished.ending,
    firstByteMs: rounded(finished.firstByteMs),
    totalMs: rounded(finished.totalMs),
    queuedMs: rounded(finished.queuedMs),
    retries: finished.retries,
    bytesIn: finished.bytesIn,
    bytesOut: finished.bytesOut,
  };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}
