import type { BackendRoute } from '../../gateway/routing-table.ts';
import { releaseOfBaseline } from '../baseline.ts';
import { goesByStages, hasStages, stagesOf } from '../course.ts';
import { runningArms, runningExperiment } from '../experiment/arms.ts';
import { isLive, revisionOf, targetGeneration, type Instance, type ServiceState } from '../service-state.ts';
import { activeOf, agent, isActive, routeOfAgent, sharesOf } from './routed.ts';
import { roomOf } from './room-invariants.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch, World } from './world.ts';

/** 2: no release has a share that its ready instances do not carry, and what was given up never gets a larger one. */
export function capacityWatch({ check }: Witness): Watch {
  let current: ServiceState | undefined;
  let shares: ReadonlyMap<string, number> = new Map();
  /** Generations that had a share by stages and no more when their rollout ended, whatever came next. */
  const ended = new Set<number>();
  return watching({
    stored(before, after, world) {
      current = after;
      for (const generation of endedBetween(before, after)) ended.add(generation);
      if (!before || !after || after.mode !== 'running') return;
      // One that was withdrawn goes at once, whatever is left of stable: what it does is worse than that.
      const isWithdrawn = (generation: number): boolean => after.failure?.withdrawn === true && after.failure.generation === generation;
      const retired = after.instances.filter(
        ({ id, phase, generation, heldBack }) =>
          // What hooks hold back is no capacity, whoever else is there.
          heldBack !== true &&
          phase === 'draining' &&
          phaseIn(before, id) === 'ready' &&
          getsRequests(id, world) &&
          !isWithdrawn(generation),
      );
      if (retired.length === 0) return;
      const serving = after.instances.filter(
        (instance) => instance.phase === 'ready' && instance.heldBack !== true && isActive(instance, world),
      ).length;
      const floor = capacityFloor(before, after);
      check(serving >= floor, `2: ${retired.map(({ id }) => id).join()} left while ${serving} of ${floor} served`);
    },

    published(world) {
      const backends = routeOfAgent(world);
      checkCopies(world, backends);
      for (const overload of overloads(backends, current)) check(false, `2: ${overload}`);
      const before = shares;
      shares = sharesOf(backends);
      if (!current || current.mode !== 'running') return;
      const state = current;
      const answering = backends.filter((backend) => readyOf(backend, state) > 0);
      for (const backend of backends) {
        if (backend.weight === 0 || answering.length === 0) continue;
        check(readyOf(backend, state) > 0, `2: ${backend.release} gets requests without a ready instance while others have some`);
      }
      for (const [release, share] of shares) checkShare(release, share, before.get(release) ?? 0, state, answering);
    },
  });

  /** Copies are work as requests are. */
  function checkCopies({ traffic }: World, backends: readonly BackendRoute[]): void {
    const mirror = traffic.route(agent)?.mirror;
    const copied = backends.find(({ release }) => release === mirror?.release);
    const carried = (100 * (copied ? activeOf(copied) : 0)) / Math.max(1, current?.replicas ?? 1);
    check(mirror === undefined || mirror.percent <= carried + 1e-6, `2: copies of ${mirror?.percent} % where ${carried} % can be carried`);
  }

  /** Once stable can answer, only stable and the candidate may get more than before, and the candidate no more than its stage's share. */
  function checkShare(release: string, share: number, before: number, state: ServiceState, answering: readonly BackendRoute[]): void {
    const stable = revisionOf(state, state.stable)?.release;
    const candidate = revisionOf(state, state.candidate?.generation)?.release;
    if (release === stable || releaseOfBaseline(release) !== undefined || !answering.some((backend) => backend.release === stable)) return;
    const isWithdrawn = state.failure?.withdrawn === true && revisionOf(state, state.failure.generation)?.release === release;
    const experiment = runningExperiment(state.candidate?.course);
    const isArm = experiment !== undefined && runningArms(experiment).some((arm) => arm.release === release);
    const isOut = experiment === undefined ? release !== candidate : !isArm;
    const hasEnded = state.revisions.some((revision) => revision.release === release && ended.has(revision.generation));
    const isGivenUp = isOut && (goesByStages(state.settings) || isWithdrawn || hasEnded);
    check(!isGivenUp || share <= before + 1e-6, `2: ${release} was given up and gets ${share.toFixed(1)} % after ${before.toFixed(1)} %`);
    check(!isWithdrawn || release === candidate || share === 0, `2: ${release} was withdrawn and gets ${share.toFixed(1)} %`);
    const course = state.candidate?.course;
    if (release !== candidate || !course) return;
    const allowed = Math.max(course.weight, stagesOf(state)[Math.min(course.stage, stagesOf(state).length - 1)]?.weight ?? 100);
    check(share <= allowed + 1e-6, `2: the candidate ${release} gets ${share.toFixed(1)} % at a stage of ${allowed} %`);
  }
}

/** Generations that got a share by stages, and are neither in use nor wanted after this change. */
function endedBetween(before: ServiceState | undefined, after: ServiceState | undefined): readonly number[] {
  const course = before?.candidate?.course;
  if (!before?.candidate || !course || !after || !hasStages(before)) return [];
  const stable = before.instances.filter((instance) => instance.generation === before.stable && isLive(instance));
  // Of one that was rolled until somebody declared stages, its hooks are what the course is of.
  if (stable.length < before.replicas && before.candidate.heldBack !== undefined) return [];
  const goesOn = after.candidate?.generation === before.candidate.generation || after.candidate?.began === before.candidate.generation;
  const arms = course.experiment?.arms.map(({ generation }) => generation) ?? [];
  return goesOn ? [] : [before.candidate.generation, ...arms].filter((generation) => generation !== after.stable);
}

/**
 * Releases whose instances get more each than an instance would if all the load were spread over as many as are declared, or over those
 * there are. What stable cannot carry because its own instances are down is no fault of a rollout.
 */
function overloads(backends: readonly BackendRoute[], state: ServiceState | undefined): string[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const held = state?.instances.filter(({ heldBack }) => heldBack === true).map(({ id }) => id) ?? [];
  // What its hooks hold back carries nothing.
  const carriers = backends.flatMap(({ instances }) =>
    instances.filter((instance) => instance.state === 'active' && !held.includes(instance.id)),
  );
  const active = carriers.length;
  const spread = Math.min(state?.replicas ?? active, active);
  const stable = state?.revisions.find(({ generation }) => generation === state.stable)?.release;
  const isDown = stable !== undefined && !backends.some((backend) => backend.release === stable && activeOf(backend) > 0);
  if (isDown) return [];
  return backends
    .filter((backend) => backend.weight > 0 && (backend.weight / total) * spread > activeOf(backend) + 1e-6)
    .filter((backend) => backend.release !== stable || activeOf(backend) >= spread)
    .map((backend) => `${backend.release} has ${backend.weight} of ${total} for ${activeOf(backend)} of ${active} instances`);
}

function readyOf({ instances }: BackendRoute, state: ServiceState): number {
  return instances.filter(({ id, state: routed }) => routed === 'active' && phaseIn(state, id) === 'ready').length;
}

function capacityFloor(before: ServiceState, after: ServiceState): number {
  const target = targetGeneration(after);
  if (target === undefined) return 0;
  const replacing = before.instances.some((instance) => instance.generation !== target && isLive(instance));
  return after.replicas - (replacing ? roomOf(after).fewer : 0);
}

/** What gets no requests is no capacity that could be missed. */
function getsRequests(instance: string, world: World): boolean {
  return routeOfAgent(world).some(
    ({ weight, instances }) => weight > 0 && instances.some(({ id, state }) => id === instance && state === 'active'),
  );
}

function phaseIn(state: ServiceState, id: string): Instance['phase'] | undefined {
  return state.instances.find((instance) => instance.id === id)?.phase;
}
