import { unbounded } from './confidence.ts';
import type { Verdict } from './judge.ts';
import { findingInWords } from './words.ts';
import { sourceInWords } from '../sources/source-finding.ts';

/** What one metric of the gateway, or one other source, says: for programs. */
export interface FindingView {
  /** Of a metric or a source. */
  readonly name: string;
  readonly source: 'gateway' | 'prometheus' | 'http' | 'command';
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'error';
  readonly message: string;
  /** The value a source gave last. */
  readonly value?: number;
  /** Quantile or value the interval is of. */
  readonly of?: string;
  /** Events of either side where a unit could have gone to both; with `limit`, all of the candidate. */
  readonly events?: { readonly candidate: number; readonly stable: number };
  /** Confidence of the interval, such as 0.95. */
  readonly confidence?: number;
  /** Ratio to stable or, with `limit`, share of the candidate's requests; always valid. An absent side is not bounded. */
  readonly interval?: { readonly low?: number; readonly high?: number };
  /** Share of the candidate's requests that is allowed at most. */
  readonly limit?: number;
  /** E-values against "no worse than tolerated" and "worse by as much as is worth catching", and what decides. */
  readonly harm?: number;
  readonly safety?: number;
  readonly bar?: number;
  /** How measurements of a source have ended. */
  readonly measurements?: { readonly passed: number; readonly failed: number; readonly withoutData: number; readonly errors: number };
}

export function findingViews({ findings, sources = [] }: Verdict): readonly FindingView[] {
  const counted = findings.map((finding): FindingView => {
    const { metric, verdict, interval, limit, harm, safety, bar, of, events } = finding;
    const { low, high } = interval;
    return {
      name: metric,
      source: 'gateway',
      verdict,
      message: findingInWords(finding),
      ...(of !== undefined && { of }),
      events,
      confidence: Number((1 - 1 / bar).toFixed(4)),
      interval: { ...(low > 0 && { low }), ...(high < unbounded && { high }) },
      ...(limit && { limit: limit.rate }),
      harm,
      safety,
      bar,
    };
  });
  const asked = sources.map((finding): FindingView => {
    const { source, type, verdict, value, counts } = finding;
    return {
      name: source,
      source: type,
      verdict,
      message: sourceInWords(finding),
      ...(value !== undefined && { value }),
      measurements: { passed: counts.pass, failed: counts.fail, withoutData: counts.no_data, errors: counts.error },
    };
  });
  return [...counted, ...asked];
}
