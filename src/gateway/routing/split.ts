import type { Backend } from '../balancing/choose.ts';
import type { RawHeaders } from '../http/downstream.ts';
import type { SplitRoute } from '../routing-table.ts';
import { fieldOf, unitOf } from './request-unit.ts';
import { type Shares, sharesOf } from './shares.ts';
import { pointCount, splitRanges } from './split-ranges.ts';
import { type UnitDraw, unitDrawOf } from './unit-draw.ts';
import { xxh32 } from './xxh32.ts';

/** Which release one request goes to, and by what chance. */
export interface Assignment {
  readonly backend: Backend;
  /**
   * The chance with which the request, or the unit behind it, was sent to this backend rather than another; 1 when it was no draw. What
   * evidence is computed from: it is the chance at the moment of the draw, whichever instances were ready.
   */
  readonly probability: number;
  /** What was drawn: the request itself, the user behind it (`unit` is a salted hash of who), or nothing: a tester chose. */
  readonly by: 'request' | 'unit' | 'override';
  /** 52-bit salted hash of the user; 0 unless `by` is `unit`. */
  readonly unit: number;
  /** Of all releases at the moment of the draw of a request, where one chance does not say it: see `sharesOf`. */
  readonly shares?: Shares | undefined;
  /** How users were divided, where one was drawn. */
  readonly draw?: UnitDraw | undefined;
}

/** By which a tester names a release, unless the table says another. */
const testerHeader = 'x-sluice-release';

/** Compiled once per table. */
export interface Split {
  /**
   * Undefined when no backend can be given a request, and when a tester names a release that is not there: no other may answer for it. `point`
   * is uniform in [0, 1), used unless a unit or an override decides.
   */
  assign(headers: RawHeaders, point: number): Assignment | undefined;
  /** Whether it comes from a tester, who names a release. */
  isTesters(headers: RawHeaders): boolean;
}

export function overrideHeaderOf(settings: Pick<SplitRoute, 'overrideHeader'> | undefined): string {
  return settings?.overrideHeader?.toLowerCase() ?? testerHeader;
}

/**
 * Without `settings` every request is drawn by itself. The last of `backends` is the stable one; see `splitRanges`. The chances of those
 * that are `compared` are among themselves: given that a request went to one of them, which one it was is still a draw.
 */
export function createSplit(backends: readonly Backend[], settings?: SplitRoute, compared: readonly string[] = []): Split {
  const ranges = splitRanges(backends, settings?.slots);
  const starts = ranges.map(({ from }) => from);
  const total = weightOf(backends);
  const comparedTotal = weightOf(backends.filter(({ release }) => compared.includes(release)));
  const shares = compared.length === 0 ? sharesOf(backends) : undefined;
  const draws = ranges.map(({ backend: at }): Assignment => {
    const backend = backends[at] as Backend;
    const probability = backend.weight / (compared.includes(backend.release) ? comparedTotal : total);
    return { backend, probability, by: 'request', unit: 0, shares };
  });
  const overrides = new Map(backends.map((backend) => [backend.release, overrideOf(backend)]));
  const affinity = settings?.affinity && withLowerCaseName(settings.affinity);
  const overrideHeader = overrideHeaderOf(settings);
  const seed = seedOf(settings?.salt ?? '');
  const releases = backends.map(({ release }) => release);
  const draw = affinity && unitDrawOf(ranges, releases, { compared, hasShares: shares !== undefined });

  const drawnAt = (point: number): Assignment | undefined => {
    let at = starts.length - 1;
    while (at > 0 && point < (starts[at] as number)) at -= 1;
    return draws[at];
  };

  return {
    isTesters: (headers) => fieldOf(headers, overrideHeader) !== undefined,
    assign: (headers, point) => {
      const wanted = fieldOf(headers, overrideHeader);
      if (wanted !== undefined) return overrides.get(wanted);
      const who = affinity && unitOf(headers, affinity);
      if (who === undefined) return drawnAt(point * pointCount);
      const hash = xxh32(who, seed);
      const drawn = drawnAt(hash);
      return drawn && { backend: drawn.backend, probability: drawn.probability, by: 'unit', unit: unitNumber(who, hash, seed), draw };
    },
  };
}

/** Every request goes to one release, whatever its weight. */
export function splitToOne(backend: Backend): Split {
  const assignment = overrideOf(backend);
  return { assign: () => assignment, isTesters: () => true };
}

/** The seed of a split's `xxh32`: its salt in UTF-8, hashed. A user's point is `xxh32(seed)` of what it is recognised by. */
export function seedOf(salt: string): number {
  return xxh32(Buffer.from(salt, 'utf8').toString('latin1'), 0);
}

/** 20 more bits than the point has, of a hash with another seed: two users with one number are then no longer to be expected. */
export function unitNumber(who: string, point: number, seed: number): number {
  return (xxh32(who, ~seed) & 0xfffff) * pointCount + point || 1;
}

function weightOf(backends: readonly Backend[]): number {
  return backends.reduce((sum, { weight }) => sum + weight, 0);
}

function overrideOf(backend: Backend): Assignment {
  return { backend, probability: 1, by: 'override', unit: 0 };
}

function withLowerCaseName(source: NonNullable<SplitRoute['affinity']>): NonNullable<SplitRoute['affinity']> {
  return source.by === 'header' ? { by: 'header', name: source.name.toLowerCase() } : source;
}
