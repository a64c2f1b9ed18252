import { sharesFrom } from '../routing/shares.ts';
import type { EvidenceCounts } from './counts.ts';
import { type EvidenceSnapshot, numbersPerOutcome } from './evidence.ts';
import { countOutcome, createStrata } from './strata.ts';
import { createUnitWindows } from './unit-windows.ts';

/** Counts outcomes of units across all workers: one per unit and window, whichever workers its requests came by. */
export interface UnitCounts {
  add(snapshot: EvidenceSnapshot): void;
  counts(): EvidenceCounts;
}

export function createUnitCounts(of: EvidenceCounts): UnitCounts {
  const { environment, service, id, thresholdsMs, attribute, counted, unitWindowMs } = of;
  const strata = createStrata(thresholdsMs.length, counted?.length);
  const windows = createUnitWindows();
  const names: string[] = [];
  const lost = { units: 0, chances: 0 };

  const numberOf = (name: string): number => {
    const known = names.indexOf(name);
    return known >= 0 ? known : names.push(name) - 1;
  };

  return {
    add: ({ outcomes, counts: { strata: theirs }, categoryNames }) => {
      const numbers = categoryNames.map(numberOf);
      for (let at = 0; at < outcomes.length; at += numbersPerOutcome) {
        const [unit = 0, window = 0, index = 0, milliseconds = -1, marks = 0, category = -1] = outcomes.slice(at, at + numbersPerOutcome);
        const { release, probability, shares } = theirs[index] ?? {};
        if (release === undefined || probability === undefined) continue;
        const seen = windows.see(unit, window);
        if (seen === 'seen') continue;
        const stratum = seen === 'first' ? strata.of(release, probability, shares && sharesFrom(shares)) : undefined;
        if (stratum !== undefined) countOutcome(stratum, thresholdsMs, milliseconds, marks, numbers[category] ?? -1);
        else if (seen === 'first') lost.chances += 1;
        else lost.units += 1;
      }
    },
    counts: () => ({
      environment,
      service,
      id,
      thresholdsMs,
      ...(attribute !== undefined && { attribute }),
      ...(counted !== undefined && { counted }),
      unitWindowMs,
      strata: strata.snapshot(names),
      lost: { ...lost },
    }),
  };
}
