import type { Clock } from '../../effects/clock.ts';
import type { ServiceState } from '../service-state.ts';
import type { Measure } from './measure.ts';
import type { Measurement, SourceSettings } from './source.ts';

/** The last measurement of each source that this controller has made or is making. */
export interface MeasurementMemory {
  readonly made: ReadonlyMap<string, Measurement>;
  /** Makes a measurement unless it was begun already; resolves with whether it was made. It may take as long as its timeout. */
  make(
    key: string,
    state: ServiceState,
    source: SourceSettings,
    ports: { readonly measure: Measure; readonly clock: Clock },
  ): Promise<boolean>;
}

export function newMeasurementMemory(): MeasurementMemory {
  const made = new Map<string, Measurement>();
  const begun = new Map<string, string>();
  return {
    made,
    make: async (key, state, source, { measure, clock }) => {
      const before = begun.get(source.name);
      if (before === key) return false;
      // Who asks for the next one has counted the one before.
      if (before !== undefined) made.delete(before);
      begun.set(source.name, key);
      const at = clock.now();
      const measured = await measure(state, source);
      if (begun.get(source.name) === key) made.set(key, { at, measured });
      return true;
    },
  };
}
