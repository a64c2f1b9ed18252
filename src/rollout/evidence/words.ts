import { type Interval, unbounded } from './confidence.ts';
import type { Finding, Verdict } from './judge.ts';

/** What the two sides of a comparison are called. */
interface Sides {
  readonly candidate: string;
  readonly stable: string;
}

const releases: Sides = { candidate: 'candidate', stable: 'stable' };

/** What people read: `errors 0.8x to 1.3x of stable (95%, always valid), 4,120 candidate requests`. One line a metric, then why. */
export function verdictInWords(verdict: Verdict, sides: Sides = releases): readonly string[] {
  return [...verdict.findings.map((finding) => `${findingInWords(finding, sides)}, ${unitsInWords(verdict, sides)}`), verdict.because];
}

/** All findings on one line. */
export function findingsInWords(verdict: Verdict, sides: Sides = releases): string {
  return `${verdict.findings.map((finding) => findingInWords(finding, sides)).join('; ')}; ${unitsInWords(verdict, sides)}`;
}

function unitsInWords({ of, units }: Verdict, { candidate }: Sides): string {
  return `${units.toLocaleString('en-US')} ${of === 'copies' ? 'copied' : candidate} request${units === 1 ? '' : 's'}`;
}

/** `latency p95 1.9x to 2.6x of stable (95%, always valid)`. */
function findingInWords({ metric, of, interval, bar }: Finding, { stable }: Sides): string {
  const name = of === undefined ? metric : `${metric} ${of}`;
  const level = `${Number((100 - 100 / bar).toFixed(1))}%, always valid`;
  return `${name} ${intervalInWords(interval, stable)} (${level})`;
}

function intervalInWords({ low, high }: Interval, stable: string): string {
  if (low === 0 && high === unbounded) return `unknown against ${stable}`;
  if (low === 0) return `at most ${times(high)} of ${stable}`;
  if (high === unbounded) return `at least ${times(low)} of ${stable}`;
  return `${times(low)} to ${times(high)} of ${stable}`;
}

function times(ratio: number): string {
  return `${ratio >= 10 ? Math.round(ratio) : Number(ratio.toPrecision(2))}x`;
}
