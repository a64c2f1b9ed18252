import type { ServiceRoute } from '../../gateway/routing-table.ts';
import { splitRanges } from '../../gateway/routing/split-ranges.ts';
import { stageOf } from '../course.ts';
import { newCourse } from '../course-state.ts';
import { runningExperiment } from '../experiment/arms.ts';
import type { ServiceState } from '../service-state.ts';
import { revisionOf } from '../service-state.ts';
import { pointsOf } from './cohorts.ts';
import { activeOf, agent, sharesOf } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch } from './world.ts';

/** 7: a user who was sent to the candidate is sent there until it is given up, or cannot carry them any more. */
export function cohortWatch({ check, users }: Witness): Watch {
  let current: ServiceState | undefined;
  let known:
    | { readonly generation: number | undefined; readonly share: number; readonly operation: string; readonly members: ReadonlySet<number> }
    | undefined;
  let points: { readonly salt: string; readonly of: Float64Array } | undefined;

  return watching({
    stored(_, after) {
      current = after;
    },
    published(world) {
      const route = world.traffic.route(agent);
      const state = current;
      const release = revisionOf(state ?? { revisions: [] }, state?.candidate?.generation)?.release;
      // Without affinity nobody is told apart: every request is drawn by itself.
      const salt = route?.split?.affinity && route.split.salt;
      const stable = revisionOf(state ?? { revisions: [] }, state?.stable)?.release;
      const isAnswered = route?.backends.some((backend) => backend.release === stable && activeOf(backend) > 0) === true;
      const arms = runningExperiment(state?.candidate?.course)?.arms ?? [];
      const isOut = arms.some(({ generation, withdrawn }) => generation === state?.candidate?.generation && withdrawn !== undefined);
      // While stable cannot answer at all, the candidate has everybody; as an arm that was withdrawn it has nobody.
      if (isOut || !route || !state || !isAnswered || release === undefined || salt === undefined || state.mode !== 'running') {
        known = undefined;
        return;
      }
      if (points?.salt !== salt) points = { salt, of: pointsOf(Math.min(users, 64), salt) };
      const share = sharesOf(route.backends).get(release) ?? 0;
      const members = membersOf(route, release, points.of);
      const ready = state.instances.filter(
        ({ generation, phase }) => generation === state.candidate?.generation && phase === 'ready',
      ).length;
      const course = { ...newCourse, ...state.candidate?.course };
      const isInForce = course.inForceSince !== undefined && course.weight === stageOf(state, course).weight;
      const carried = (100 * ready) / Math.max(1, state.replicas);
      if (known && known.generation === state.candidate?.generation) {
        const atLeast = Math.min(known.share, carried, known.operation === state.operation ? 100 : stageOf(state, course).weight);
        check(
          share >= atLeast - 1e-6,
          `7: ${release} had ${known.share.toFixed(1)} %, could carry ${carried.toFixed(1)} % and gets ${share.toFixed(1)} %`,
        );
        const lost = [...known.members].filter((user) => !members.has(user));
        check(
          share < known.share - 1e-6 || lost.length === 0,
          `7: ${lost.length} users of ${release} were sent elsewhere although its share did not fall`,
        );
      }
      // Whoever declares other steps may want a smaller share: until the new stage is in force, it may fall to that one's.
      const declared = known?.generation === state.candidate?.generation ? known?.operation : undefined;
      const operation = isInForce ? state.operation : (declared ?? '');
      known = { generation: state.candidate?.generation, share, operation, members };
    },
  });
}

function membersOf({ backends, split }: ServiceRoute, release: string, points: Float64Array): ReadonlySet<number> {
  const mine = splitRanges(backends, split?.slots).filter(({ backend }) => backends[backend]?.release === release);
  const members = new Set<number>();
  for (const [user, point] of points.entries()) if (mine.some(({ from, to }) => from <= point && point < to)) members.add(user);
  return members;
}
