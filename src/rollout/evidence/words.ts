import { type Interval, unbounded } from './confidence.ts';
import type { Finding } from './finding.ts';
import { sourceInWords } from '../sources/source-finding.ts';
import type { Verdict } from './judge.ts';

/** What people read: `errors 0.8x to 1.3x of stable (95%, always valid), 4,120 candidate requests`. One line a metric, then why. */
export function verdictInWords({ findings, units, sources = [], because }: Verdict): readonly string[] {
  const requests = `${units.toLocaleString('en-US')} candidate request${units === 1 ? '' : 's'}`;
  return [...findings.map((finding) => `${findingInWords(finding)}, ${requests}`), ...sources.map(sourceInWords), because];
}

/** All findings on one line. */
export function findingsInWords({ findings, units, sources = [] }: Verdict): string {
  const counted = findings.length === 0 && sources.length > 0 ? [] : [`${units.toLocaleString('en-US')} candidate requests`];
  return [...findings.map(findingInWords), ...counted, ...sources.map(sourceInWords)].join('; ');
}

/** `latency p95 1.9x to 2.6x of stable (95%, always valid)`. */
export function findingInWords({ metric, of, interval, bar, limit }: Finding): string {
  const name = of === undefined ? metric : `${metric} ${of}`;
  const level = `${Number((100 - 100 / bar).toFixed(1))}%, always valid`;
  if (limit === undefined) return `${name} ${intervalInWords(interval)} (${level})`;
  const what = limit.ms === undefined ? `${name} of` : `${name} over ${limit.ms} ms:`;
  return `${what} ${percent(interval.low)} to ${percent(interval.high)} of requests, at most ${percent(limit.rate)} allowed (${level})`;
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(2))}%`;
}

function intervalInWords({ low, high }: Interval): string {
  if (low === 0 && high === unbounded) return 'unknown against stable';
  if (low === 0) return `at most ${times(high)} of stable`;
  if (high === unbounded) return `at least ${times(low)} of stable`;
  return `${times(low)} to ${times(high)} of stable`;
}

function times(ratio: number): string {
  return `${ratio >= 10 ? Math.round(ratio) : Number(ratio.toPrecision(2))}x`;
}
