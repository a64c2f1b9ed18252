import { digestJson, type Digest } from '../../digest/digest.ts';
import type { Json } from '../../digest/json.ts';
import type { Measured, Measurement, SourceSettings } from './source.ts';

/** What is known of one source in a rollout. Durable: a controller that was killed goes on from it. */
export interface SourceState {
  readonly name: string;
  /** Of its settings: what was measured with others does not count. */
  readonly settings: Digest;
  readonly counts: Readonly<Record<Measured['outcome'], number>>;
  /** Measurements since the last one that passed, of those that failed. */
  readonly failures: number;
  /** Measurements in a row that came to nothing. */
  readonly errors: number;
  readonly last?: Measurement;
}

/** Measurements that have been made, by their keys. */
export type Measurements = ReadonlyMap<string, Measurement>;

export function newSourceState(source: SourceSettings): SourceState {
  const settings = digestJson(source as unknown as Json);
  return { name: source.name, settings, counts: { pass: 0, fail: 0, no_data: 0, error: 0 }, failures: 0, errors: 0 };
}

/** What is known of each declared source; of one that was declared anew, nothing. */
export function sourceStates(sources: readonly SourceSettings[], known: readonly SourceState[] = []): readonly SourceState[] {
  return sources.map((source) => {
    const fresh = newSourceState(source);
    return known.find(({ settings }) => settings === fresh.settings) ?? fresh;
  });
}

/** Name of the measurement that comes next: however often it is asked for or seen, it is made and counted once. */
export function nextKey(generation: number, { settings, counts }: SourceState): string {
  const { pass, fail, no_data: noData, error } = counts;
  return `${generation}/${settings}/${pass + fail + noData + error}`;
}

/** With the measurement that was waited for, if it has been made. Pure. */
export function foldMeasurement(state: SourceState, generation: number, made: Measurements | undefined): SourceState {
  const measurement = made?.get(nextKey(generation, state));
  if (!measurement) return state;
  const { outcome } = measurement.measured;
  return {
    ...state,
    counts: { ...state.counts, [outcome]: state.counts[outcome] + 1 },
    // What could not be measured neither excuses a failure nor is one.
    failures: outcome === 'pass' ? 0 : state.failures + (outcome === 'fail' ? 1 : 0),
    errors: outcome === 'error' ? state.errors + 1 : 0,
    last: measurement,
  };
}
