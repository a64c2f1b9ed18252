import { digestJson } from '../digest/digest.ts';
import type { Counts, Rules } from './evidence/judge.ts';
import { addStrata, type Strata } from './evidence/strata.ts';
import type { CountedStratum } from './traffic.ts';

/**
 * What the gateway has counted, as the judge takes it: by the chance of the candidate, whichever of the two a unit went to. Units of others,
 * and those drawn when only one of the two could be, say nothing that would compare them. Thresholds are those of the rules' limits, then
 * pairs, stable's and the candidate's of each quantile.
 */
export function countsOf(
  counted: readonly CountedStratum[],
  arms: { readonly candidate: string; readonly stable: string },
  rules: Rules,
): Counts {
  const { quantiles = [], limits = [] } = rules.latency ?? {};
  const pairs = limits.length;
  const collect = (valueOf: (stratum: CountedStratum, isCandidate: boolean) => number): Strata => {
    let strata: Strata = [];
    for (const stratum of counted) {
      const isCandidate = stratum.release === arms.candidate;
      if (!isCandidate && stratum.release !== arms.stable) continue;
      const value = valueOf(stratum, isCandidate);
      const chance = chanceOf(stratum, arms);
      strata = addStrata(strata, [{ chance, candidate: isCandidate ? value : 0, stable: isCandidate ? 0 : value }]);
    }
    return strata;
  };
  const isSlow = (exceedances: readonly number[], index: number, isCandidate: boolean): number =>
    exceedances[pairs + 2 * index + (isCandidate ? 1 : 0)] ?? 0;
  const hasLater = counted.some(({ later }) => later !== undefined);
  const categories = new Set(counted.flatMap(({ categories }) => Object.keys(categories)));
  return {
    units: collect(({ units }) => units),
    errors: collect(({ errors }) => errors),
    slow: quantiles.map((_, index) => collect(({ exceedances }, isCandidate) => isSlow(exceedances, index, isCandidate))),
    ...(hasLater && {
      later: {
        errors: collect(({ later }) => later?.errors ?? 0),
        slow: quantiles.map((_, index) => collect(({ later }, isCandidate) => isSlow(later?.exceedances ?? [], index, isCandidate))),
      },
    }),
    decisions: Object.fromEntries([...categories].map((value) => [value, collect((stratum) => stratum.categories[value] ?? 0)])),
    ...(limits.length > 0 && { late: limits.map((_, index) => collect(({ exceedances }) => exceedances[index] ?? 0)) }),
    ...(rules.tallies && { tallied: rules.tallies.map((_, index) => collect(({ counted: values = [] }) => values[index] ?? 0)) }),
  };
}

/** The chance of the candidate, given that one of the two was drawn. */
function chanceOf({ release, probability, shares }: CountedStratum, arms: { readonly candidate: string; readonly stable: string }): number {
  if (!shares) return plain(release === arms.candidate ? probability : 1 - probability);
  const [candidate, stable] = [shares[arms.candidate] ?? 0, shares[arms.stable] ?? 0];
  return candidate + stable === 0 ? 0 : plain(candidate / (candidate + stable));
}

/** Which numbers of the gateway's mean what: what was counted for other rules is not to be read by these. */
export function layoutOf({ latency, decisions, tallies }: Rules): string {
  const values = tallies?.map(({ attribute, value }) => [attribute, value]) ?? [];
  const limits = latency?.limits?.map(({ quantile, ms }) => [quantile, ms]) ?? [];
  return digestJson([latency?.quantiles ?? [], limits, decisions?.attribute ?? '', values]).slice(-12);
}

/** One minus a share that was nearly the other's is the same share. */
function plain(chance: number): number {
  return Number(chance.toFixed(6));
}
