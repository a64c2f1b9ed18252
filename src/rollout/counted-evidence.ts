import type { Counts, Rules } from './evidence/judge.ts';
import { addStrata, type Strata } from './evidence/strata.ts';
import type { CountedStratum } from './traffic.ts';

/**
 * What the gateway has counted, as the judge takes it: by the chance of the candidate, whichever of the two a unit went to. Units of others,
 * and those drawn when only one of the two could be, say nothing that would compare them. Thresholds come in pairs, stable's and the candidate's of each quantile.
 */
export function countsOf(
  counted: readonly CountedStratum[],
  arms: { readonly candidate: string; readonly stable: string },
  rules: Rules,
): Counts {
  const quantiles = rules.latency?.quantiles ?? [];
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
  const values = new Set(counted.flatMap(({ categories }) => Object.keys(categories)));
  return {
    units: collect(({ units }) => units),
    errors: collect(({ errors }) => errors),
    slow: quantiles.map((_, index) => collect(({ exceedances }, isCandidate) => exceedances[2 * index + (isCandidate ? 1 : 0)] ?? 0)),
    decisions: Object.fromEntries([...values].map((value) => [value, collect(({ categories }) => categories[value] ?? 0)])),
  };
}

/** The chance of the candidate, given that one of the two was drawn. */
function chanceOf({ release, probability, shares }: CountedStratum, arms: { readonly candidate: string; readonly stable: string }): number {
  if (!shares) return plain(release === arms.candidate ? probability : 1 - probability);
  const [candidate, stable] = [shares[arms.candidate] ?? 0, shares[arms.stable] ?? 0];
  return candidate + stable === 0 ? 0 : plain(candidate / (candidate + stable));
}

/** One minus a share that was nearly the other's is the same share. */
function plain(chance: number): number {
  return Number(chance.toFixed(6));
}
