/** Points of the unit interval: fine enough that a weight of one in a billion is still a share. */
export const pointCount = 2 ** 32;

/** The points `from <= point < to` belong to `backends[backend]`. */
export interface PointRange {
  readonly from: number;
  readonly to: number;
  readonly backend: number;
}

interface Weighted {
  readonly weight: number;
  /** Its place, whichever others there are: number `index` (from 0) of `of` equal slots. */
  readonly slot?: { readonly index: number; readonly of: number } | undefined;
}

/**
 * Divides 2^32 points among backends in proportion to their weights, in ascending order and without gaps; empty when no backend has weight.
 * A user is a point by a hash, so whose ranges only grow gains users and loses none.
 *
 * The last backend is the stable one. Of the others, number k of K owns the slot that begins at k/K, and takes its share from there on: while
 * no share exceeds 1/K, each grows in its own slot and takes from stable alone, whatever the others do. A share above 1/K also takes from
 * the free end: its users beyond the slot may change when others grow. With one candidate (K = 1) there is no such case.
 *
 * Where backends come and go while users must stay (arms of an experiment), each names its slot: one that goes leaves its points to stable,
 * and one that grows beyond its slot after all others are gone loses nobody. A backend without a slot beside such takes from the free end.
 *
 * With `slots`, only so many of the first backends own one: a release that merely finishes its work moves nobody when it is gone.
 */
export function splitRanges(backends: readonly Weighted[], slots = backends.length - 1): readonly PointRange[] {
  const counts = pointsOf(backends.map(({ weight }) => weight));
  const candidates = counts.slice(0, -1);
  const owned: PointRange[] = [];
  const overflow: number[] = [];
  for (const [backend, count] of candidates.entries()) {
    const slot = slotOf(backend, backends.slice(0, -1), slots);
    const inSlot = slot === undefined ? 0 : Math.min(count, slot.to - slot.from);
    if (slot !== undefined && inSlot > 0) owned.push({ from: slot.from, to: slot.from + inSlot, backend });
    overflow.push(count - inSlot);
  }
  const free = gapsOf(owned.toSorted((left, right) => left.from - right.from));
  for (const [backend, count] of overflow.entries()) owned.push(...takenFromEnd(free, count, backend));
  if ((counts.at(-1) ?? 0) > 0) owned.push(...free.map(({ from, to }) => ({ from, to, backend: counts.length - 1 })));
  return merged(owned.toSorted((left, right) => left.from - right.from));
}

/** Whole numbers of points that add up to all: what rounding leaves over goes to the last backend with weight. */
function pointsOf(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const heir = weights.findLastIndex((weight) => weight > 0);
  if (heir < 0) return weights.map(() => 0);
  let left = pointCount;
  const counts = weights.map((weight, index) => {
    if (index === heir) return 0;
    const count = Math.min(left, Math.round((weight / total) * pointCount));
    left -= count;
    return count;
  });
  counts[heir] = left;
  return counts;
}

/** The slot a candidate owns; undefined for one without, or whose slot another one has taken. */
function slotOf(
  backend: number,
  candidates: readonly Weighted[],
  slots: number,
): { readonly from: number; readonly to: number } | undefined {
  const of = candidates.find(({ slot }) => slot !== undefined)?.slot?.of;
  if (of === undefined) return backend < slots ? slotAt(backend, slots) : undefined;
  const own = candidates[backend]?.slot;
  if (own === undefined || own.of !== of || own.index >= of) return undefined;
  const isTaken = candidates.slice(0, backend).some(({ slot }) => slot?.index === own.index && slot.of === of);
  return isTaken ? undefined : slotAt(own.index, of);
}

function slotAt(index: number, of: number): { readonly from: number; readonly to: number } {
  return { from: Math.floor((index / of) * pointCount), to: Math.floor(((index + 1) / of) * pointCount) };
}

/** What is between ranges that are in ascending order. */
function gapsOf(ranges: readonly PointRange[]): { from: number; to: number }[] {
  const gaps: { from: number; to: number }[] = [];
  let from = 0;
  for (const range of ranges) {
    if (range.from > from) gaps.push({ from, to: range.from });
    from = range.to;
  }
  if (from < pointCount) gaps.push({ from, to: pointCount });
  return gaps;
}

/** Takes points off the end of what is free. */
function takenFromEnd(free: { from: number; to: number }[], count: number, backend: number): PointRange[] {
  const taken: PointRange[] = [];
  let missing = count;
  while (missing > 0) {
    const last = free.at(-1);
    if (last === undefined) break;
    const from = Math.max(last.from, last.to - missing);
    taken.push({ from, to: last.to, backend });
    missing -= last.to - from;
    last.to = from;
    if (last.from === last.to) free.pop();
  }
  return taken;
}

function merged(ranges: readonly PointRange[]): PointRange[] {
  const result: PointRange[] = [];
  for (const range of ranges) {
    const before = result.at(-1);
    if (before && before.backend === range.backend && before.to === range.from) result[result.length - 1] = { ...before, to: range.to };
    else result.push(range);
  }
  return result;
}
