import type { EvidenceCounts } from './counts.ts';
import type { EvidenceSnapshot } from './evidence.ts';
import { countLater, countOutcome, createStrata } from './strata.ts';
import { createUnitPlaces, noDraw, nowhere, tooMany } from './unit-places.ts';
import { categoryMark, numbersPerOutcome, type ReleaseDraw } from './unit-outcomes.ts';
import { createUnitTable } from './unit-table.ts';

/** Outcomes that have told something new: who hears them in this order, and nothing else, has counted and remembers the same. */
export interface UnitNews {
  /** Those that came up for the first time; draws and names have their numbers by the order of their coming, from 0. */
  readonly draws: readonly ReleaseDraw[];
  readonly categoryNames: readonly string[];
  /** `numbersPerOutcome` each, by those numbers. */
  readonly outcomes: readonly number[];
}

/** Counts outcomes of units across all workers: one per unit and draw, whichever workers its requests came by. */
export interface UnitCounts {
  add(snapshot: EvidenceSnapshot): UnitNews;
  /** What `add` of another one has told, in its order and before anything else is added. */
  replay(news: UnitNews): void;
  /** Something of it is not known any more, and which chances units had is not certain: see `lost`. */
  forget(): void;
  /** How many outcomes have told something. */
  heard(): number;
  counts(): EvidenceCounts;
}

/** So many users are evidence enough: what those beyond them meet is left out, alike for all releases. */
const mostUnits = 1_048_576;
/** And so much of them is remembered, since all of it is kept for the process that comes after this one. */
const mostHeard = 2 * mostUnits;
const mostDraws = 4_096;

/**
 * Of a unit the first outcome of each draw counts as one of its stratum (`UnitPlaces`). What it meets only later in the same draw (an error, an
 * answer slower than any before) counts as `later`, once each: a candidate that fails after an hour must be seen by users of an hour. That ends
 * for all units at once when the shares move: those who may be drawn anew would stop there, and those who stay would go on.
 * `lostBefore`: by the one whose news are replayed here.
 */
export function createUnitCounts(of: EvidenceCounts, lostBefore: EvidenceCounts['lost'] = { units: 0, chances: 0 }): UnitCounts {
  const { environment, service, id, thresholdsMs, attribute, counted, onlyFirst } = of;
  const strata = createStrata(thresholdsMs.length, counted?.length);
  const places = createUnitPlaces(strata);
  const units = createUnitTable(mostUnits);
  const names: string[] = [];
  const drawNumbers = new Map<string, number>();
  const draws: ReleaseDraw[] = [];
  const lost = { ...lostBefore };
  let heard = 0;
  const drawsSeen = new Set<string>();
  let newestDraw = '';

  const numberOf = (name: string): number => {
    const known = names.indexOf(name);
    return known >= 0 ? known : names.push(name) - 1;
  };

  const drawNumberOf = (draw: ReleaseDraw): number => {
    const key = `${draw.release}\n${draw.key}`;
    const known = drawNumbers.get(key);
    if (known !== undefined || draws.length >= mostDraws) return known ?? -1;
    drawNumbers.set(key, draws.length);
    return draws.push(draw) - 1;
  };

  /** Whether it has told anything. */
  const count = (unit: number, number: number, milliseconds: number, marks: number, category: number): boolean => {
    const draw = draws[number];
    if (draw === undefined) {
      lost.chances += 1;
      return false;
    }
    const row = heard >= mostHeard ? -1 : units.rowOf(unit);
    if (row < 0) {
      lost.units += 1;
      return false;
    }
    const isNewDraw = !drawsSeen.has(draw.key);
    if (isNewDraw) {
      drawsSeen.add(draw.key);
      newestDraw = draw.key;
    }
    const { place, marks: seen, slowest } = units.rows;
    const before = place[row] as number;
    if (before !== nowhere && onlyFirst) return isNewDraw;
    const next = places.next(before, draw, draw.release);
    // One that has counted already is left where it was.
    if (next === tooMany && before === nowhere) lost.chances += 1;
    if (next === tooMany || next === noDraw) return isNewDraw;
    const { stratum, draw: cameBy } = places.at(next);
    if (next !== before) {
      countOutcome(stratum, thresholdsMs, milliseconds, marks, category);
      place[row] = next;
      seen[row] = marks | (category < 0 ? 0 : categoryMark);
      slowest[row] = milliseconds;
      return true;
    }
    if (cameBy !== newestDraw || draw.key !== newestDraw) return isNewDraw;
    const known = seen[row] as number;
    const longest = slowest[row] as number;
    const isFirstCategory = category >= 0 && known < categoryMark;
    const isFirstError = (marks & ~known & 1) === 1;
    countLater(stratum, thresholdsMs, { slowest: longest, milliseconds, isFirstError, category: isFirstCategory ? category : -1 });
    seen[row] = (known | (marks & 1) | (isFirstCategory ? categoryMark : 0)) >>> 0;
    slowest[row] = Math.max(longest, milliseconds);
    const isSlower = thresholdsMs.some((threshold) => milliseconds > threshold && longest <= threshold);
    return isNewDraw || isFirstError || isFirstCategory || isSlower;
  };

  return {
    add: (told) => {
      const [drawsBefore, namesBefore] = [draws.length, names.length];
      const drawOf = told.draws.map(drawNumberOf);
      const nameOf = told.categoryNames.map(numberOf);
      const news: number[] = [];
      for (let at = 0; at < told.outcomes.length; at += numbersPerOutcome) {
        const [unit = 0, index = 0, milliseconds = -1, marks = 0, name = -1] = told.outcomes.slice(at, at + numbersPerOutcome);
        const [draw, category] = [drawOf[index] ?? -1, nameOf[name] ?? -1];
        if (count(unit, draw, milliseconds, marks, category)) news.push(unit, draw, milliseconds, marks, category);
      }
      heard += news.length / numbersPerOutcome;
      return { draws: draws.slice(drawsBefore), categoryNames: names.slice(namesBefore), outcomes: news };
    },
    replay: (news) => {
      for (const draw of news.draws) drawNumberOf(draw);
      for (const name of news.categoryNames) numberOf(name);
      for (let at = 0; at < news.outcomes.length; at += numbersPerOutcome) {
        const [unit = 0, draw = -1, milliseconds = -1, marks = 0, category = -1] = news.outcomes.slice(at, at + numbersPerOutcome);
        count(unit, draw, milliseconds, marks, category);
      }
      heard += news.outcomes.length / numbersPerOutcome;
    },
    forget: () => {
      lost.chances += 1;
    },
    heard: () => heard,
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
