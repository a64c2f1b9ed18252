import type { EvidenceCounts } from './counts.ts';
import type { EvidenceSnapshot } from './evidence.ts';
import { countLater, countOutcome, createStrata } from './strata.ts';
import { createUnitPlaces, noDraw, nowhere, tooMany } from './unit-places.ts';
import { categoryMark, numbersPerOutcome } from './unit-outcomes.ts';
import { createUnitTable } from './unit-table.ts';

/** Counts outcomes of units across all workers: one per unit and draw, whichever workers its requests came by. */
export interface UnitCounts {
  add(snapshot: EvidenceSnapshot): void;
  counts(): EvidenceCounts;
}

/** So many users are evidence enough: what those beyond them meet is left out, alike for all releases. */
const mostUnits = 1_048_576;

/**
 * Of a unit the first outcome of each draw counts as one of its stratum (`UnitPlaces`). What it meets only later in the same draw (an error, an
 * answer slower than any before) counts as `later`, once each: a candidate that fails after an hour must be seen by users of an hour. That ends
 * for all units at once when the shares move: those who may be drawn anew would stop there, and those who stay would go on.
 */
export function createUnitCounts(of: EvidenceCounts): UnitCounts {
  const { environment, service, id, thresholdsMs, attribute, counted, onlyFirst } = of;
  const strata = createStrata(thresholdsMs.length, counted?.length);
  const places = createUnitPlaces(strata);
  const units = createUnitTable(mostUnits);
  const names: string[] = [];
  const lost = { units: 0, chances: 0 };
  const drawsSeen = new Set<string>();
  let newestDraw = '';

  const numberOf = (name: string): number => {
    const known = names.indexOf(name);
    return known >= 0 ? known : names.push(name) - 1;
  };

  const count = (unit: number, draw: EvidenceSnapshot['draws'][number], milliseconds: number, marks: number, category: number): void => {
    if (!drawsSeen.has(draw.key)) {
      drawsSeen.add(draw.key);
      newestDraw = draw.key;
    }
    const row = units.rowOf(unit);
    if (row < 0) {
      lost.units += 1;
      return;
    }
    const { place, marks: seen, slowest } = units.rows;
    const before = place[row] as number;
    if (before !== nowhere && onlyFirst) return;
    const next = places.next(before, draw, draw.release);
    // One that has counted already is left where it was.
    if (next === tooMany && before === nowhere) lost.chances += 1;
    if (next === tooMany || next === noDraw) return;
    const { stratum, draw: cameBy } = places.at(next);
    if (next !== before) {
      countOutcome(stratum, thresholdsMs, milliseconds, marks, category);
      place[row] = next;
      seen[row] = marks | (category < 0 ? 0 : categoryMark);
      slowest[row] = milliseconds;
      return;
    }
    if (cameBy !== newestDraw || draw.key !== newestDraw) return;
    const known = seen[row] as number;
    const isFirstCategory = category >= 0 && known < categoryMark;
    countLater(stratum, thresholdsMs, {
      slowest: slowest[row] as number,
      milliseconds,
      isFirstError: (marks & ~known & 1) === 1,
      category: isFirstCategory ? category : -1,
    });
    seen[row] = (known | (marks & 1) | (isFirstCategory ? categoryMark : 0)) >>> 0;
    slowest[row] = Math.max(slowest[row] as number, milliseconds);
  };

  return {
    add: ({ outcomes, draws, categoryNames }) => {
      const numbers = categoryNames.map(numberOf);
      for (let at = 0; at < outcomes.length; at += numbersPerOutcome) {
        const [unit = 0, index = 0, milliseconds = -1, marks = 0, category = -1] = outcomes.slice(at, at + numbersPerOutcome);
        const draw = draws[index];
        if (draw !== undefined) count(unit, draw, milliseconds, marks, numbers[category] ?? -1);
      }
    },
    counts: () => ({
      environment,
      service,
      id,
      thresholdsMs,
      ...(attribute !== undefined && { attribute }),
      ...(counted !== undefined && { counted }),
      ...(onlyFirst && { onlyFirst }),
      strata: strata.snapshot(names),
      lost: { ...lost },
    }),
  };
}
