import type { Counts } from './judge.ts';
import { addStrata, type Strata } from './strata.ts';

export const noCounts: Counts = { units: [], errors: [], slow: [], decisions: {} };

/** What both have counted. */
export function addCounts(one: Counts, other: Counts): Counts {
  const decisions: Record<string, Strata> = { ...one.decisions };
  for (const [value, strata] of Object.entries(other.decisions)) decisions[value] = addStrata(decisions[value] ?? [], strata);
  return {
    units: addStrata(one.units, other.units),
    errors: addStrata(one.errors, other.errors),
    slow: other.slow.map((strata, index) => addStrata(one.slow[index] ?? [], strata)),
    decisions,
    ...laterOf(one, other),
    ...addLists('late', one, other),
    ...addLists('tallied', one, other),
  };
}

function laterOf({ later: one }: Counts, { later: other }: Counts): Pick<Counts, 'later'> {
  const only = one ?? other;
  if (only === undefined) return {};
  if (one === undefined || other === undefined) return { later: only };
  const longer = one.slow.length > other.slow.length ? one.slow : other.slow;
  const slow = longer.map((_, index) => addStrata(one.slow[index] ?? [], other.slow[index] ?? []));
  return { later: { errors: addStrata(one.errors, other.errors), slow } };
}

function addLists(field: 'late' | 'tallied', one: Counts, other: Counts): Partial<Counts> {
  const [left = [], right = []] = [one[field], other[field]];
  const longer = left.length > right.length ? left : right;
  return longer.length === 0 ? {} : { [field]: longer.map((_, index) => addStrata(left[index] ?? [], right[index] ?? [])) };
}
