import type { Clock } from '../../effects/clock.ts';
import type { ServiceState } from '../service-state.ts';
import type { Measure } from './measure.ts';
import type { Measurement, SourceSettings } from './source.ts';

/** The last measurement of each source that this controller has made or is making. */
export interface MeasurementMemory {
  readonly made: ReadonlyMap<string, Measurement>;
  /** Begins a measurement unless it was begun: it may take as long as its timeout, and the service is looked after meanwhile. */
  begin(
    key: string,
    state: ServiceState,
    source: SourceSettings,
    ports: { readonly measure: Measure; readonly clock: Clock },
    done: () => void,
  ): void;
}

export function newMeasurementMemory(): MeasurementMemory {
  const made = new Map<string, Measurement>();
  const begun = new Map<string, string>();
  return {
    made,
    begin: (key, state, source, { measure, clock }, done) => {
      const before = begun.get(source.name);
      if (before === key) return;
      // Who asks for the next one has counted the one before.
      if (before !== undefined) made.delete(before);
      begun.set(source.name, key);
      const at = clock.now();
      void measure(state, source).then((measured) => {
        if (begun.get(source.name) === key) made.set(key, { at, measured });
        done();
      });
    },
  };
}
