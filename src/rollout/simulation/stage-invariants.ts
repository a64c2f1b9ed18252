import { stageOf } from '../course.ts';
import type { Course } from '../course-state.ts';
import { runningExperiment, stagedShares } from '../experiment/arms.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import { agent, isActive, routeOfAgent, sharesOf } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch, World } from './world.ts';

/** 2: a share is asked for only once the instances that carry it are ready and known to the gateway, and is in force only once it is sent. */
export function stageWatch({ check }: Witness): Watch {
  return watching({
    stored(before, after, world) {
      const course = after?.candidate?.course;
      if (!after || !course || after.mode !== 'running') return;
      const asked = sharesIn(before);
      for (const { generation, weight } of stagedShares(after, course)) {
        if (weight <= (asked.get(generation) ?? 0)) continue;
        const needed = neededFor(weight, after);
        const serving = after.instances.filter(
          (instance) => instance.generation === generation && instance.phase === 'ready' && isActive(instance, world),
        );
        const release = revisionOf(after, generation)?.release;
        check(serving.length >= needed, `2: ${release} was to get ${weight.toFixed(1)} % with ${serving.length} of ${needed} instances`);
      }
      if (course.inForceSince !== undefined && course.inForceSince !== before?.candidate?.course?.inForceSince)
        checkSent(after, course, world);
    },
  });

  function checkSent(state: ServiceState, course: Course, world: World): void {
    const { weight, mirror } = stageOf(state, course);
    const shares = sharesOf(routeOfAgent(world));
    const released = stagedShares(state, course).map(({ generation }) => shares.get(revisionOf(state, generation)?.release ?? '') ?? 0);
    // Where nothing else can answer, the candidate has everything, and the arms of an experiment have it among them.
    const hasAll = released.reduce((sum, share) => sum + share, 0) >= 100 - 1e-6;
    for (const { generation } of stagedShares(state, course)) {
      const ready = state.instances.filter((instance) => instance.generation === generation && instance.phase === 'ready').length;
      const prepared = neededFor(Math.max(weight, mirror?.percent ?? 0), state);
      check(ready >= prepared, `2: a stage of ${weight} % came into force with ${ready} of ${prepared} instances`);
      const release = revisionOf(state, generation)?.release ?? '';
      const sent = shares.get(release) ?? 0;
      check(sent >= weight - 1e-6, `2: ${release} was taken to get ${weight.toFixed(1)} % and gets ${sent.toFixed(1)} %`);
      const isNoMore = hasAll || sent <= weight + 1e-6;
      check(isNoMore, `2: ${release} was taken to get no more than ${weight.toFixed(1)} % and gets ${sent.toFixed(1)} %`);
    }
    const copied = world.traffic.route(agent)?.mirror?.percent ?? 0;
    const isCopied = mirror === undefined || runningExperiment(course) !== undefined || copied >= mirror.percent;
    check(isCopied, `2: copies of ${mirror?.percent} % were taken to be sent, and ${copied} % are`);
  }
}

/** As many as stable would need for this share, or, where the whole set comes first, all; reckoned apart from what is checked. */
function neededFor(weight: number, { replicas, settings }: ServiceState): number {
  return settings.rollout.fullSet === true ? replicas : Math.min(replicas, Math.max(1, Math.ceil((replicas * weight) / 100 - 1e-9)));
}

function sharesIn(state: ServiceState | undefined): ReadonlyMap<number, number> {
  const course = state?.candidate?.course;
  return new Map(state && course ? stagedShares(state, course).map(({ generation, weight }) => [generation, weight]) : []);
}
