import type { Random } from '../../effects/random.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import { pointCount, splitRanges } from '../../gateway/routing/split-ranges.ts';
import { seedOf } from '../../gateway/routing/split.ts';
import { xxh32 } from '../../gateway/routing/xxh32.ts';

/** What became of the requests of one moment, for one release of the route. */
interface Drawn {
  requests: number;
  /** First requests of a user in a window: what counts. */
  units: number;
  /** Numbers of the users they came from, some of them more than once. */
  readonly who: number[];
}

/** Users that stay on one side: drawn by the very hash and ranges of the gateway. */
export interface Cohorts {
  /** Requests of random users, by backend of the route in its order. */
  draw(route: ServiceRoute, moment: { readonly requests: number; readonly random: Random; readonly now: number }): readonly Drawn[];
}

export function cohortsOf(users: number): Cohorts {
  let salt: string | undefined;
  let points: Float64Array = new Float64Array(0);
  let window = -1;
  let seen: Uint8Array = new Uint8Array(users);

  return {
    draw(route, { requests, random, now }) {
      if (route.split?.salt !== salt) {
        salt = route.split?.salt ?? '';
        points = pointsOf(users, salt);
      }
      const current = Math.floor(now / (route.evidence?.unitWindowMs ?? 60_000));
      if (current !== window) {
        window = current;
        seen = new Uint8Array(users);
      }
      const ranges = splitRanges(route.backends, route.split?.slots);
      const drawn = route.backends.map((): Drawn => ({ requests: 0, units: 0, who: [] }));
      for (let request = 0; request < requests; request += 1) {
        const user = Math.floor(random.next() * users);
        const point = points[user] ?? 0;
        const of = drawn[ranges.find(({ to }) => point < to)?.backend ?? -1];
        if (!of) continue;
        of.requests += 1;
        of.who.push(user);
        if (seen[user] === 0) of.units += 1;
        seen[user] = 1;
      }
      return drawn;
    },
  };
}

/** Where each user is on the circle that the split divides. */
export function pointsOf(users: number, salt: string): Float64Array {
  const seed = seedOf(salt);
  return Float64Array.from({ length: users }, (_, user) => xxh32(`user-${user}`, seed) % pointCount);
}
