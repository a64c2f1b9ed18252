import type { ReleaseCounts } from './counts.ts';
import { endings, statusClasses } from './endings.ts';
import type { MetricFamily, Sample } from './exposition.ts';
import type { GatewayCounts, ReleaseRates } from './report.ts';
import { countsUpTo, type SketchSnapshot } from './sketch.ts';

/** Upper bounds of the classic histograms, in seconds. */
const boundsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const boundsMs = boundsSeconds.map((seconds) => seconds * 1_000);
/** As OpenMetrics wants them: always with a point. */
const boundNames = boundsSeconds.map((seconds) => (Number.isInteger(seconds) ? `${seconds}.0` : String(seconds)));

const prefix = 'sluice_gateway';

/** Everything the gateway counts, by the naming rules of Prometheus: base units, `_total` for counters. */
export function gatewayFamilies(counts: GatewayCounts): MetricFamily[] {
  const { releases, queues } = counts;
  const one = (name: string, type: 'counter' | 'gauge', help: string, valueOf: (release: ReleaseCounts) => number): MetricFamily => ({
    name: `${prefix}_${name}`,
    type,
    help,
    samples: releases.map((release) => sample(labelsOf(release), valueOf(release), type)),
  });
  const by = (
    name: string,
    help: string,
    label: string,
    entriesOf: (release: ReleaseCounts) => readonly [string, number][],
  ): MetricFamily => ({
    name: `${prefix}_${name}`,
    type: 'counter',
    help,
    samples: releases.flatMap((release) =>
      entriesOf(release).map(([value, count]) => sample({ ...labelsOf(release), [label]: value }, count, 'counter')),
    ),
  });
  const queue = (name: string, help: string, field: 'running' | 'queued'): MetricFamily => ({
    name: `${prefix}_${name}`,
    type: 'gauge',
    help,
    samples: queues.map(({ environment, service, ...state }) => ({ labels: { environment, service }, value: state[field] })),
  });

  return [
    {
      name: `${prefix}_start_time_seconds`,
      type: 'gauge',
      help: 'When this life of the gateway began, as Unix time.',
      samples: [{ labels: {}, value: Date.parse(counts.startedAt) / 1_000 }],
    },
    by('requests', 'Requests that have ended, by the class of their status; none: no answer was given.', 'code_class', ({ statuses }) =>
      statusClasses.map((name) => [name, statuses[name]]),
    ),
    by('request_endings', 'Requests that have ended, by how they ended.', 'ending', (release) =>
      endings.map((name) => [name, release.endings[name]]),
    ),
    one('errors', 'counter', 'Requests with status 5xx, without an answer, or with one that broke off.', ({ errors }) => errors),
    one('retries', 'counter', 'Attempts beyond the first of a request.', ({ retries }) => retries),
    one('ejections', 'counter', 'Times an instance was taken out for failing.', ({ ejections }) => ejections),
    one('in_flight_requests', 'gauge', 'Requests that are with an instance.', ({ inFlight }) => inFlight),
    one('received_bytes', 'counter', 'Bytes of requests.', ({ bytesIn }) => bytesIn),
    one('sent_bytes', 'counter', 'Bytes of answers.', ({ bytesOut }) => bytesOut),
    one('queued_requests', 'counter', 'Requests that had to wait for the limit of their service.', ({ queued }) => queued),
    one('queued_seconds', 'counter', 'Time requests waited for the limit of their service.', ({ queuedMs }) => queuedMs / 1_000),
    queue('queue_length', 'Requests that wait for the limit of their service.', 'queued'),
    queue('limiter_running_requests', 'Requests that run under the limit of their service.', 'running'),
    histogram('request_duration_seconds', 'From the whole head of a request to the end of its answer.', releases, ({ total }) => total),
    histogram(
      'first_byte_duration_seconds',
      'From the whole head of a request to the first byte of its answer.',
      releases,
      (release) => release.firstByte,
    ),
    recent('recent_request_duration_seconds', 'Quantiles of the last minute, within 1 %.', counts, ({ p50, p95, p99 }) => [p50, p95, p99]),
    recent(
      'recent_first_byte_duration_seconds',
      'Quantiles of the last minute to the first byte, within 1 %.',
      counts,
      ({ firstByteP50, firstByteP95, firstByteP99 }) => [firstByteP50, firstByteP95, firstByteP99],
    ),
  ];
}

function labelsOf({ environment, service, release }: Pick<ReleaseCounts, 'environment' | 'service' | 'release'>): Sample['labels'] {
  return { environment, service, release };
}

function sample(labels: Sample['labels'], value: number, type: 'counter' | 'gauge'): Sample {
  return { ...(type === 'counter' && { ending: '_total' }), labels, value };
}

function histogram(
  name: string,
  help: string,
  releases: readonly ReleaseCounts[],
  sketchOf: (release: ReleaseCounts) => SketchSnapshot,
): MetricFamily {
  const samples = releases.flatMap((release): Sample[] => {
    const labels = labelsOf(release);
    const sketch = sketchOf(release);
    return [
      ...countsUpTo(sketch, boundsMs).map((value, index) => ({
        ending: '_bucket',
        labels: { ...labels, le: boundNames[index] as string },
        value,
      })),
      { ending: '_bucket', labels: { ...labels, le: '+Inf' }, value: sketch.count },
      { ending: '_sum', labels, value: sketch.sumMicros / 1e6 },
      { ending: '_count', labels, value: sketch.count },
    ];
  });
  return { name: `${prefix}_${name}`, type: 'histogram', help, samples };
}

const quantiles = ['0.5', '0.95', '0.99'];

function recent(
  name: string,
  help: string,
  { last60s }: GatewayCounts,
  valuesOf: (rates: ReleaseRates) => readonly (number | undefined)[],
): MetricFamily {
  const samples = last60s.releases.flatMap((rates) =>
    valuesOf(rates).flatMap((value, index): Sample[] =>
      value === undefined ? [] : [{ labels: { ...labelsOf(rates), quantile: quantiles[index] as string }, value: value / 1_000 }],
    ),
  );
  return { name: `${prefix}_${name}`, type: 'summary', help, samples };
}
