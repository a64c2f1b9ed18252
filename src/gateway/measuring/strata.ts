import type { Stratum } from './counts.ts';
import type { Shares } from '../routing/shares.ts';
import { plainProbability } from './probability.ts';

/** Outcomes of one release and chance, counted in place. */
export interface LiveStratum {
  readonly release: string;
  readonly probability: number;
  readonly shares: Shares | undefined;
  units: number;
  errors: number;
  readonly exceedances: Float64Array;
  /** By value that is counted; absent where none is. */
  readonly counted?: Float64Array;
  /** By number of the category; as long as it needs to be. */
  readonly categories: number[];
  /** What units met after their first outcome, each thing once. */
  readonly later: { errors: number; readonly exceedances: Float64Array };
}

/** All strata of one evidence, in the order in which they came up; none is ever removed. */
export interface Strata {
  /** Undefined when there are too many chances already. */
  of(release: string, chance: number, shares?: Shares): LiveStratum | undefined;
  at(index: number): LiveStratum | undefined;
  indexOf(stratum: LiveStratum): number;
  snapshot(categoryNames: readonly string[]): Stratum[];
}

/** A rollout has a few steps and so a few chances; more mean that something is wrong, and must not cost memory. */
const mostStrata = 512;

export function createStrata(thresholds: number, counted?: number): Strata {
  const all: LiveStratum[] = [];
  return {
    of: (release, chance, shares) => {
      const probability = plainProbability(chance);
      const known = all.find(
        (stratum) => stratum.release === release && stratum.probability === probability && stratum.shares?.key === shares?.key,
      );
      if (known !== undefined || all.length >= mostStrata) return known;
      const stratum = {
        release,
        probability,
        shares,
        units: 0,
        errors: 0,
        exceedances: new Float64Array(thresholds),
        categories: [],
        later: { errors: 0, exceedances: new Float64Array(thresholds) },
        ...(counted !== undefined && { counted: new Float64Array(counted) }),
      };
      all.push(stratum);
      return stratum;
    },
    at: (index) => all[index],
    indexOf: (stratum) => all.indexOf(stratum),
    snapshot: (names) =>
      all.map(({ release, probability, shares, units, errors, exceedances, categories, later, counted: values }) => ({
        release,
        probability,
        shares: shares?.byRelease,
        units,
        errors,
        exceedances: [...exceedances],
        categories: Object.fromEntries(
          names.map((name, index) => [name, categories[index] ?? 0] as const).filter(([, count]) => count > 0),
        ),
        counted: values && [...values],
        later:
          later.errors > 0 || later.exceedances.some((count) => count > 0)
            ? { errors: later.errors, exceedances: [...later.exceedances] }
            : undefined,
      })),
  };
}

/** `milliseconds` is negative where the time says nothing; `marks` has a bit for an error and one for each value; `category` is -1 for none. */
export function countOutcome(
  stratum: LiveStratum,
  thresholdsMs: readonly number[],
  milliseconds: number,
  marks: number,
  category: number,
): void {
  stratum.units += 1;
  if ((marks & 1) === 1) stratum.errors += 1;
  if (marks > 1 && stratum.counted !== undefined) mark(stratum.counted, marks);
  countSlower(stratum.exceedances, thresholdsMs, -1, milliseconds);
  countCategory(stratum, category);
}

/** Another outcome of a unit that has counted: only what it had not met before. `category` is its first one, or -1. */
export function countLater(
  stratum: LiveStratum,
  thresholdsMs: readonly number[],
  of: { readonly slowest: number; readonly milliseconds: number; readonly isFirstError: boolean; readonly category: number },
): void {
  if (of.isFirstError) stratum.later.errors += 1;
  countSlower(stratum.later.exceedances, thresholdsMs, of.slowest, of.milliseconds);
  countCategory(stratum, of.category);
}

/** The thresholds that are exceeded now and were not before. */
function countSlower(exceedances: Float64Array, thresholdsMs: readonly number[], before: number, now: number): void {
  for (let index = 0; index < thresholdsMs.length; index += 1) {
    const threshold = thresholdsMs[index] as number;
    if (now > threshold && before <= threshold) exceedances[index] = (exceedances[index] as number) + 1;
  }
}

function countCategory(stratum: LiveStratum, category: number): void {
  if (category < 0) return;
  while (stratum.categories.length <= category) stratum.categories.push(0);
  stratum.categories[category] = (stratum.categories[category] as number) + 1;
}

function mark(counted: Float64Array, marks: number): void {
  for (let index = 0; index < counted.length; index += 1) {
    if ((marks & (2 << index)) !== 0) counted[index] = (counted[index] as number) + 1;
  }
}
