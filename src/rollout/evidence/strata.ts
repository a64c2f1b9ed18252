/**
 * Events that happened while units were sent to the candidate with one and the same chance. All that the processes of this folder need
 * to know of the past: small, durable, and summed without loss.
 */
export interface Stratum {
  /** Chance with which a unit was sent to the candidate rather than to stable, in (0, 1). */
  readonly chance: number;
  /** Events of units that went to the candidate. */
  readonly candidate: number;
  /** Events of units that went to stable. */
  readonly stable: number;
}

export type Strata = readonly Stratum[];

/** One list with the counts of both, a chance at most once, in order of chance. */
export function addStrata(one: Strata, other: Strata): Strata {
  const sums: Stratum[] = [];
  for (const strata of [one, other]) {
    for (const stratum of strata) {
      const { chance, candidate, stable } = stratum;
      // There are as few chances as a rollout has had steps, and they come in order.
      let at = sums.length;
      while (at > 0 && (sums[at - 1]?.chance ?? 0) >= chance) at -= 1;
      const same = sums[at];
      if (same?.chance === chance) sums[at] = { chance, candidate: same.candidate + candidate, stable: same.stable + stable };
      else sums.splice(at, 0, stratum);
    }
  }
  return sums;
}

/** Events on either side, whatever the chance was. A chance of 0 or 1 compares nothing and is left out. */
export function totals(strata: Strata): { readonly candidate: number; readonly stable: number } {
  let [candidate, stable] = [0, 0];
  for (const stratum of comparable(strata)) {
    candidate += stratum.candidate;
    stable += stratum.stable;
  }
  return { candidate, stable };
}

/** Those in which a unit could have gone either way: only they say anything about a difference. */
export function comparable(strata: Strata): Strata {
  return strata.filter(({ chance }) => chance > 0 && chance < 1);
}
