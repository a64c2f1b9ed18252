import type { Ask, SourceSettings } from './source.ts';
import type { SourceState } from './source-state.ts';

/** One source's part of the verdict, with the numbers that made it. */
export interface SourceFinding {
  readonly source: string;
  readonly type: Ask['type'];
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'error';
  readonly because: string;
  /** The last one measured. */
  readonly value?: number;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly counts: SourceState['counts'];
}

/**
 * What a source says by what was measured so far. It fails with more failures in a row than are tolerated; more errors in a row than are
 * tolerated say nothing of the candidate; and only a last measurement that passed is a pass.
 */
export function sourceFinding(settings: SourceSettings, state: SourceState): SourceFinding {
  const { name, ask, atMost, atLeast } = settings;
  const measured = state.last?.measured;
  return {
    source: name,
    type: ask.type,
    ...judged(settings, state),
    ...(measured && 'value' in measured && measured.value !== undefined && { value: measured.value }),
    ...(atMost !== undefined && { atMost }),
    ...(atLeast !== undefined && { atLeast }),
    counts: state.counts,
  };
}

function judged({ name, failures, errors }: SourceSettings, state: SourceState): Pick<SourceFinding, 'verdict' | 'because'> {
  const measured = state.last?.measured;
  const said = measured?.said === undefined ? '' : `: ${measured.said}`;
  if (measured === undefined) return { verdict: 'inconclusive', because: `${name} has not been measured yet` };
  if (state.failures > failures)
    return { verdict: 'fail', because: `${name} failed${times(state.failures)}${measured.outcome === 'fail' ? said : ''}` };
  if (state.errors > errors) return { verdict: 'error', because: `${name} could not be measured${times(state.errors)}${said}` };
  switch (measured.outcome) {
    case 'pass':
      return { verdict: 'pass', because: `${name} passes` };
    case 'fail':
      return { verdict: 'inconclusive', because: `${name} failed${times(state.failures)}, of ${failures} tolerated${said}` };
    case 'no_data':
      return { verdict: 'inconclusive', because: `${name} has no data${said}` };
    case 'error':
      break;
  }
  return { verdict: 'inconclusive', because: `${name} could not be measured${times(state.errors)}, of ${errors} tolerated${said}` };
}

function times(count: number): string {
  return count === 1 ? ' once' : ` ${count} times in a row`;
}

/** `tokens 131, at most 100: fail (prometheus, 3 passed, 2 failed)`. */
export function sourceInWords({ source, type, verdict, value, atMost, atLeast, counts }: SourceFinding): string {
  const bounds = [...(atLeast === undefined ? [] : [`at least ${atLeast}`]), ...(atMost === undefined ? [] : [`at most ${atMost}`])];
  const numbers = value === undefined ? bounds : [String(Number(value.toPrecision(4))), ...bounds];
  const made = [
    `${counts.pass} passed`,
    `${counts.fail} failed`,
    ...(counts.no_data > 0 ? [`${counts.no_data} without data`] : []),
    ...(counts.error > 0 ? [`${counts.error} in error`] : []),
  ];
  return `${[source, numbers.join(', ')].filter((part) => part !== '').join(' ')}: ${verdict} (${[type, ...made].join(', ')})`;
}
