import { type Interval, unbounded } from './confidence.ts';
import { sourceInWords } from '../sources/source-finding.ts';
import type { Finding } from './finding.ts';
import type { Verdict } from './judge.ts';

/** What the two sides of a comparison are called. */
interface Sides {
  readonly candidate: string;
  readonly stable: string;
}

const releases: Sides = { candidate: 'candidate', stable: 'stable' };

/** What people read: `errors 0.8x to 1.3x of stable (95%, always valid), 4,120 candidate requests`. One line a metric, then why. */
export function verdictInWords(verdict: Verdict, sides: Sides = releases): readonly string[] {
  const { findings, sources = [], because } = verdict;
  const units = unitsInWords(verdict, sides);
  return [...findings.map((finding) => `${findingInWords(finding, sides)}, ${units}`), ...sources.map(sourceInWords), because];
}

/** All findings on one line. */
export function findingsInWords(verdict: Verdict, sides: Sides = releases): string {
  const { findings, sources = [] } = verdict;
  const counted = findings.length > 0 || sources.length === 0 ? [unitsInWords(verdict, sides)] : [];
  return [...findings.map((finding) => findingInWords(finding, sides)), ...counted, ...sources.map(sourceInWords)].join('; ');
}

function unitsInWords({ of, units }: Verdict, sides: Sides): string {
  return `${units.toLocaleString('en-US')} ${unitNoun({ of }, units, sides)}`;
}

/** `candidate requests`, `candidate user`, `copied requests`: what so many units are called. */
export function unitNoun({ of }: { readonly of?: Verdict['of'] | undefined }, units: number, { candidate }: Sides = releases): string {
  const noun = of === 'users' ? 'user' : 'request';
  return `${of === 'copies' ? 'copied' : candidate} ${noun}${units === 1 ? '' : 's'}`;
}

/** `latency p95 1.9x to 2.6x of stable (95%, always valid)`. */
export function findingInWords({ metric, of, interval, harm, bar, limit, verdict }: Finding, { stable }: Sides = releases): string {
  const name = of === undefined ? metric : `${metric} ${of}`;
  const sure = `(${Number((100 - 100 / bar).toFixed(1))}%, always valid)`;
  // An interval may still hold what is tolerated: it doubts in both directions, the verdict in one. So the numbers that made it are said.
  const level = verdict === 'fail' ? `${sure}, evidence ${odds(harm)} to 1 against it where ${Math.round(bar)} suffice` : sure;
  if (limit === undefined) return `${name} ${intervalInWords(interval, stable)} ${level}`;
  const what = limit.ms === undefined ? `${name} of` : `${name} over ${limit.ms} ms:`;
  return `${what} ${percent(interval.low)} to ${percent(interval.high)} of requests, at most ${percent(limit.rate)} allowed ${level}`;
}

function odds(evidence: number): string {
  return evidence > 1_000_000 ? 'over 1,000,000' : Math.floor(evidence).toLocaleString('en-US');
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(2))}%`;
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
