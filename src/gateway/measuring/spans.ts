import type { Clock } from '../../effects/clock.ts';
import { isError } from './evidence.ts';
import type { Finished } from './meter.ts';
import { pathOf, type RequestAbout, type RequestObserver } from './observer.ts';
import type { OtlpAttribute, OtlpSpan, SpanExporter } from './otlp.ts';

/**
 * A span for a share of the traces that are marked as sampled. The share is of trace ids, so that gateways decide alike about one trace. A
 * trace that began here has the gateway's span as its root; one that came from a client goes on to the instance unchanged, so the gateway's
 * span stands beside the instance's.
 */
export function createSpans(dependencies: {
  readonly exporter: SpanExporter;
  readonly clock: Pick<Clock, 'now'>;
  /** Lower-case hex of so many random bytes. */
  readonly identifier: (bytes: number) => string;
  /** From 0 to 1. */
  readonly sampleRate: number;
}): RequestObserver {
  const { exporter, clock, identifier, sampleRate } = dependencies;
  return {
    observe: (finished, about) => {
      if (!isSampled(about.traceparent, sampleRate)) return;
      exporter.add(spanOf(finished, about, clock.now(), identifier));
    },
    close: () => exporter.close(),
  };
}

/** By the flag in the last field, and the last seven bytes of the trace id, which are random (W3C Trace Context Level 2). */
function isSampled(traceparent: string, sampleRate: number): boolean {
  if (traceparent.length < 55 || (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 0) return false;
  return Number.parseInt(traceparent.slice(21, 35), 16) < sampleRate * 2 ** 56;
}

function spanOf(finished: Finished, about: RequestAbout, now: number, identifier: (bytes: number) => string): OtlpSpan {
  const sent = about.traceparent.slice(36, 52);
  return {
    traceId: about.traceparent.slice(3, 35),
    ...(about.startsTrace ? { spanId: sent } : { spanId: identifier(8), parentSpanId: sent }),
    name: `${about.method} ${about.service}`,
    kind: 2,
    startTimeUnixNano: nanoseconds(now - finished.totalMs),
    endTimeUnixNano: nanoseconds(now),
    attributes: attributesOf(finished, about),
    status: { code: isError(finished) ? 2 : 0 },
  };
}

function attributesOf(finished: Finished, about: RequestAbout): OtlpAttribute[] {
  const texts: Readonly<Record<string, string>> = {
    'http.request.method': about.method,
    'url.path': pathOf(about.target),
    'server.address': about.host,
    'client.address': about.clientAddress,
    'sluice.environment': about.environment,
    'sluice.service': about.service,
    'sluice.release': about.release,
    'sluice.instance': about.instance,
    'sluice.ending': finished.ending,
    'sluice.request.id': about.requestId,
  };
  const numbers: Readonly<Record<string, number>> = {
    'http.response.status_code': finished.status,
    'http.request.resend_count': finished.retries,
    'http.request.size': finished.bytesIn,
    'http.response.size': finished.bytesOut,
  };
  return [
    ...Object.entries(texts)
      .filter(([, text]) => text !== '')
      .map(([key, stringValue]) => ({ key, value: { stringValue } })),
    ...Object.entries(numbers)
      .filter(([, number]) => number > 0)
      .map(([key, number]) => ({ key, value: { intValue: String(number) } })),
  ];
}

function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1_000)) * 1_000n);
}
