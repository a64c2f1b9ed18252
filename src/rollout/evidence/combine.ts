import type { SourceFinding } from '../sources/source-finding.ts';
import type { Verdict } from './judge.ts';

/** The worst decides. A failure stands whatever else could not be told; no error, and nothing unknown, is ever a pass. */
const byWeight = ['fail', 'error', 'inconclusive', 'pass'] as const;

/**
 * One verdict of what the gateway has counted and what every other source has found: what the state machine acts on. `counted` is undefined
 * where nothing is compared, or nothing was seen yet. Undefined when there is nothing to judge by.
 */
export function combined(counted: Verdict | undefined, sources: readonly SourceFinding[]): Verdict | undefined {
  if (sources.length === 0) return counted;
  const parts: readonly Pick<Verdict, 'verdict' | 'because'>[] = [...(counted ? [counted] : []), ...sources];
  const verdict = byWeight.find((each) => parts.some((part) => part.verdict === each)) ?? 'inconclusive';
  const deciding = parts.filter((part) => part.verdict === verdict).map(({ because }) => because);
  return {
    verdict,
    ...(counted?.of && { of: counted.of }),
    units: counted?.units ?? 0,
    findings: counted?.findings ?? [],
    sources,
    because: deciding.join('; '),
  };
}
