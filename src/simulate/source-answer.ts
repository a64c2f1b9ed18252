import { sluiceError } from '../errors/sluice-error.ts';
import type { Measure } from '../rollout/sources/measure.ts';
import type { Measured } from '../rollout/sources/source.ts';
import { parseDuration } from '../stack/fields/duration.ts';

/** What a source of evidence beside the gateway says of the candidate, from some time (ms) after the rollout's beginning on; before, it passes. */
export interface SourceAnswer {
  readonly name: string;
  readonly says: Measured['outcome'];
  readonly afterMs: number;
}

const outcomes = ['pass', 'fail', 'no_data', 'error'] as const;

/** `NAME=fail` or `NAME=fail@30s`. Throws `usage`. */
export function parseSourceAnswer(text: string): SourceAnswer {
  const [, name, outcome, after] = /^([^=]+)=([a-z_]+)(?:@(.+))?$/.exec(text) ?? [];
  const says = outcomes.find((known) => known === outcome);
  const afterMs = after === undefined ? 0 : parseDuration(after);
  if (name === undefined || says === undefined || afterMs === undefined) {
    const form = `NAME=${outcomes.join('|')}, with @30s where it says so only from then on`;
    throw sluiceError('usage', { reason: `--source '${text}' is not ${form}.` });
  }
  return { name, says, afterMs };
}

/** Measures by what is said the sources say; those of which nothing is said pass. `elapsedMs` counts from the beginning of the rollout. */
export function measureAs(answers: readonly SourceAnswer[], elapsedMs: () => number): Measure {
  return (_, { name }) => {
    const answer = answers.findLast((each) => each.name === name && elapsedMs() >= each.afterMs);
    const outcome = answer?.says ?? 'pass';
    return Promise.resolve(outcome === 'pass' || outcome === 'fail' ? { outcome } : { outcome, said: 'as simulated' });
  };
}
