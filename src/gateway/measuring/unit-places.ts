import { sharesFrom } from '../routing/shares.ts';
import type { Region, UnitDraw } from '../routing/unit-draw.ts';
import { pointCount } from '../routing/split-ranges.ts';
import { plainProbability } from './probability.ts';
import type { LiveStratum, Strata } from './strata.ts';

/** What the answers to a unit have told so far: which release it has, and that its point is one of these. */
interface UnitPlace {
  readonly release: string;
  /** Of the draw that led here. */
  readonly draw: string;
  readonly points: readonly Span[];
  /** Where the unit counts: by the chance it had to come here, given what was known of it before. */
  readonly stratum: LiveStratum;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Units are in few places: there are as many as a rollout has had divisions, and ways from one to another. */
export interface UnitPlaces {
  /**
   * Number of the place where a unit is once it was answered by a release under a draw, coming from place `before` (`nowhere` when new). The
   * same number: nothing new was learned. `noDraw`: its point cannot have sent it there, or the
   * release is not among those that are compared. `tooMany`: there is no room.
   */
  next(before: number, draw: UnitDraw, release: string): number;
  at(place: number): UnitPlace;
}

export const nowhere = -1;
export const noDraw = -2;
export const tooMany = -3;

const mostPlaces = 4_096;
const everywhere: readonly Span[] = [{ from: 0, to: pointCount }];

/**
 * A unit that comes again under the same division has the release it had: no new draw, and no new evidence. When the shares have moved, a
 * unit of which is known that its point is not in the first 5 % goes to a candidate with 25 % by a chance of 20 in 95. So each draw that could
 * have gone either way, given all that was known, counts once, and the product of their likelihoods is the martingale that evidence needs.
 */
export function createUnitPlaces(strata: Strata): UnitPlaces {
  const places: UnitPlace[] = [];
  const known = new Map<string, number>();

  const found = (before: number, draw: UnitDraw, release: string): number => {
    if (draw.compared?.includes(release) === false) return noDraw;
    const from = places[before];
    const points = from?.points ?? everywhere;
    const own = common(points, regionsOf(draw, [release]));
    if (own.length === 0) return noDraw;
    if (from?.release === release && sizeOf(own) === sizeOf(points)) return before;
    const among = sizeOf(common(points, regionsOf(draw, draw.compared)));
    const shares = draw.hasShares ? sharesFrom(sharesAmong(draw, points, among)) : undefined;
    const stratum = strata.of(release, sizeOf(own) / among, shares);
    if (stratum === undefined || places.length >= mostPlaces) return tooMany;
    return places.push({ release, draw: draw.key, points: own, stratum }) - 1;
  };

  return {
    next: (before, draw, release) => {
      const key = `${before} ${release} ${draw.key}`;
      const place = known.get(key) ?? found(before, draw, release);
      if (known.size < 4 * mostPlaces) known.set(key, place);
      return place;
    },
    at: (place) => places[place] as UnitPlace,
  };
}

function sharesAmong(draw: UnitDraw, points: readonly Span[], among: number): Record<string, number> {
  const shares: Record<string, number> = {};
  for (const release of new Set(draw.regions.map((region) => region.release))) {
    if (draw.compared?.includes(release) === false) continue;
    const size = sizeOf(common(points, regionsOf(draw, [release])));
    if (size > 0) shares[release] = plainProbability(size / among);
  }
  return shares;
}

function regionsOf({ regions }: UnitDraw, releases: readonly string[] | undefined): readonly Region[] {
  return releases === undefined ? regions : regions.filter(({ release }) => releases.includes(release));
}

/** Both are in ascending order and without overlap. */
function common(one: readonly Span[], other: readonly Span[]): Span[] {
  return one.flatMap((left) =>
    other.flatMap((right) => {
      const [from, to] = [Math.max(left.from, right.from), Math.min(left.to, right.to)];
      return from < to ? [{ from, to }] : [];
    }),
  );
}

function sizeOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}
