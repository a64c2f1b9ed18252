import type { Random } from '../../effects/random.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import { sharesOf } from '../../gateway/routing/shares.ts';
import { pointCount, splitRanges } from '../../gateway/routing/split-ranges.ts';
import { seedOf } from '../../gateway/routing/split.ts';
import { type UnitDraw, unitDrawOf } from '../../gateway/routing/unit-draw.ts';
import { xxh32 } from '../../gateway/routing/xxh32.ts';

/** What became of the requests of one moment. */
interface Drawn {
  /** How users are divided at the moment. */
  readonly draw: UnitDraw;
  /** By backend of the route, in its order: numbers of the users its requests came from, some of them more than once. */
  readonly users: readonly (readonly number[])[];
}

/** Users that stay on one side: drawn by the very hash and ranges of the gateway. */
export interface Cohorts {
  /** Requests of random users. */
  draw(route: ServiceRoute, moment: { readonly requests: number; readonly random: Random }): Drawn;
  /** As the gateway tells users apart, by the salt of the last draw. */
  unitOf(user: number): number;
}

export function cohortsOf(users: number): Cohorts {
  let salt: string | undefined;
  let points: Float64Array = new Float64Array(0);

  return {
    draw({ split, backends, evidence }, { requests, random }) {
      if (split?.salt !== salt) {
        salt = split?.salt ?? '';
        points = pointsOf(users, salt);
      }
      const ranges = splitRanges(backends, split?.slots);
      const compared = evidence?.compared ?? [];
      const hasShares = compared.length === 0 && sharesOf(backends) !== undefined;
      const drawn = backends.map((): number[] => []);
      for (let request = 0; request < requests; request += 1) {
        const user = Math.floor(random.next() * users);
        const point = points[user] ?? 0;
        drawn[ranges.find(({ to }) => point < to)?.backend ?? -1]?.push(user);
      }
      const releases = backends.map(({ release }) => release);
      return { draw: unitDrawOf(ranges, releases, { compared, hasShares }), users: drawn };
    },
    unitOf: (user) => user * pointCount + (points[user] ?? 0),
  };
}

/** Where each user is on the circle that the split divides. */
export function pointsOf(users: number, salt: string): Float64Array {
  const seed = seedOf(salt);
  return Float64Array.from({ length: users }, (_, user) => xxh32(`user-${user}`, seed) % pointCount);
}
