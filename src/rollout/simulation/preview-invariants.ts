import { hasStages, stageOf } from '../course.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import { activeOf, agent, routeOfAgent, sharesOf } from './routed.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch, World } from './world.ts';

/** 2: a candidate is shown to those alone who ask for it until it gets a share, and it gets one only after it has answered its smoke check. */
export function previewWatch({ check }: Witness): Watch {
  let current: ServiceState | undefined;
  return watching({
    stored(before, after, world) {
      current = after;
      const course = after?.candidate?.course;
      if (!after || !course || !hasStages(after) || after.mode !== 'running') return;
      const old = before?.candidate?.generation === after.candidate?.generation ? before?.candidate?.course : undefined;
      const comesIntoForce = course.inForceSince !== undefined && course.inForceSince !== old?.inForceSince;
      if (after.settings.rollout.smoke && (course.weight > (old?.weight ?? 0) || comesIntoForce)) checkSmoke(after, world);
      const { previewHost } = after.settings.rollout;
      if (previewHost === undefined || !comesIntoForce || stageOf(after, course).weight > 0) return;
      check(previewIn(world) === releaseIn(after), `2: ${releaseIn(after)} is previewed by nobody: ${previewHost} has ${previewIn(world)}`);
    },

    published(world) {
      const shown = previewIn(world);
      if (shown === undefined || !current) return;
      check(
        current.mode === 'running' && shown === releaseIn(current),
        `2: ${shown} is previewed, and ${releaseIn(current)} is the candidate`,
      );
      const answers = routeOfAgent(world).some((backend) => backend.release === shown && activeOf(backend) > 0);
      check(answers, `2: ${shown} is previewed before there is anything to see`);
      const share = sharesOf(routeOfAgent(world)).get(shown) ?? 0;
      const { instances, stable } = current;
      const isAnswered = instances.some(({ generation, phase }) => generation === stable && phase === 'ready');
      check(!isAnswered || share === 0, `2: ${shown} is previewed although it gets ${share.toFixed(1)} %`);
    },
  });

  function checkSmoke(state: ServiceState, { workloads }: World): void {
    const mine = state.instances.filter(({ generation }) => generation === state.candidate?.generation);
    const last = mine.map(({ id }) => workloads.smokesOf(id).at(-1));
    check(
      last.includes(true) && !last.includes(false),
      `2: ${releaseIn(state)} gets a share, and its smoke checks said ${last.join() || 'nothing'}`,
    );
  }
}

function releaseIn(state: ServiceState): string | undefined {
  return revisionOf(state, state.candidate?.generation)?.release;
}

/** The release that a host of its own leads to. */
function previewIn({ traffic }: World): string | undefined {
  return traffic.route(agent)?.expose.find(({ release }) => release !== undefined)?.release;
}
