import type { UnitDraw } from '../routing/unit-draw.ts';
import { createUnitTable } from './unit-table.ts';

/** How units were divided, seen from the release that had them. */
export interface ReleaseDraw extends UnitDraw {
  readonly release: string;
}

/** A worker's outcomes of units, on their way to whoever sees all workers (`UnitCounts`): most of them tell nothing new and go nowhere. */
export interface UnitOutcomes {
  /** Number of a draw; -1 when there are too many already. */
  numberOf(release: string, draw: UnitDraw): number;
  /**
   * One answer to a unit. `milliseconds` is negative where the time says nothing; `marks` has its lowest bit for an error and the next ones for
   * values that are counted, and bit 31 free; `category` is -1 for none. False when it had to be left out.
   */
  add(draw: number, unit: number, milliseconds: number, marks: number, category: number): boolean;
  /** Hands over: each is in one result only. */
  take(): { readonly outcomes: readonly number[]; readonly draws: readonly ReleaseDraw[] };
}

/** Unit, number of the draw, milliseconds, marks, category. */
export const numbersPerOutcome = 5;
/** Beside the bits of errors and of values that are counted. */
export const categoryMark = 2 ** 31;

/** Divisions of units, by release. A rollout has a few. */
const mostDraws = 1_024;
/** Outcomes that wait to be taken. */
const mostOutcomes = 65_536;
/** Of so many units it is remembered what has been handed on; then all are forgotten, and some of it is handed on again. */
const mostRemembered = 65_536;

/** `onlyFirst`: of each unit and draw one outcome is enough, whatever comes later. */
export function createUnitOutcomes(thresholdsMs: readonly number[], onlyFirst: boolean): UnitOutcomes {
  const units = createUnitTable(mostRemembered);
  const draws: ReleaseDraw[] = [];
  let outcomes: number[] = [];

  const crossesThreshold = (slowest: number, milliseconds: number): boolean => {
    if (milliseconds <= slowest) return false;
    for (const threshold of thresholdsMs) if (slowest <= threshold && milliseconds > threshold) return true;
    return false;
  };

  const rowOf = (unit: number): number => {
    const row = units.rowOf(unit);
    if (row >= 0) return row;
    units.clear();
    return units.rowOf(unit);
  };

  return {
    numberOf: (release, draw) => {
      const known = draws.findIndex((each) => each.release === release && each.key === draw.key);
      if (known >= 0 || draws.length >= mostDraws) return known;
      return draws.push({ ...draw, release }) - 1;
    },
    add: (draw, unit, milliseconds, bits, category) => {
      const marks = (bits | (category < 0 ? 0 : categoryMark)) >>> 0;
      const row = rowOf(unit);
      const { place, marks: seen, slowest } = units.rows;
      const [known, longest] = [seen[row] as number, slowest[row] as number];
      const isKnown = place[row] === draw;
      if (isKnown && (onlyFirst || ((marks & ~known) === 0 && !crossesThreshold(longest, milliseconds)))) return true;
      if (outcomes.length >= mostOutcomes * numbersPerOutcome) return false;
      place[row] = draw;
      seen[row] = isKnown ? known | marks : marks;
      slowest[row] = isKnown ? Math.max(longest, milliseconds) : milliseconds;
      outcomes.push(unit, draw, milliseconds, bits, category);
      return true;
    },
    take: () => {
      const taken = outcomes;
      outcomes = [];
      return { outcomes: taken, draws: [...draws] };
    },
  };
}
