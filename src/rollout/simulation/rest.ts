import { groupOf } from '../baseline.ts';
import { hasStages } from '../course.ts';
import { isLive, revisionOf, type ServiceState } from '../service-state.ts';
import { isWorking } from './releases.ts';
import type { World } from './world.ts';

/** What a service came to, without what depends on when things happened. */
export function summaryOf(state: ServiceState, world: World): unknown {
  const live = state.instances.filter(isLive);
  const route = world.traffic.route(state);
  return {
    mode: state.mode,
    replicas: state.replicas,
    stable: revisionOf(state, state.stable)?.release,
    candidate: revisionOf(state, state.candidate?.generation)?.release,
    ...(state.candidate?.course && { stage: state.candidate.course.stage, paused: state.candidate.paused?.reason }),
    failed: state.failure?.release,
    instances: live.map(({ phase, generation }) => `${revisionOf(state, generation)?.release} ${phase}`),
    leaving: state.instances.length - live.length,
    weights: route?.backends.map(({ release, weight, instances }) => ({ release, weight, instances: instances.length })),
    known: live.length,
  };
}

/** What is not as it has to be once everything has had the time to come to rest; empty when all is well. */
export function unrest(state: ServiceState, world: World): string[] {
  const found: string[] = [];
  const stable = revisionOf(state, state.stable)?.release;
  const backends = world.traffic.route(state)?.backends ?? [];
  if (state.mode !== 'running') {
    if (state.instances.length > 0) found.push(`3: a service that is ${state.mode} still has ${state.instances.length} instances`);
    return found;
  }
  if (!isWorking(stable)) return found;
  const ready = state.instances.filter((instance) => groupOf(state, instance) === state.stable && instance.phase === 'ready');
  const byInstances = state.candidate !== undefined && !hasStages(state);
  if (ready.length !== state.replicas && !byInstances)
    found.push(`5: ${ready.length} of ${state.replicas} stable instances are ready at the end`);
  if (state.candidate) return found;
  if (state.instances.length !== state.replicas) found.push(`5: ${state.instances.length} instances for ${state.replicas} at the end`);
  const others = backends.filter(({ release, weight }) => release !== stable && weight > 0);
  if (others.length > 0) found.push(`2: ${others.map(({ release }) => release).join(', ')} gets requests at the end beside ${stable}`);
  return found;
}

/** Processes of nobody, once a controller has had the time to end them; and instances without theirs. */
export async function strays(world: World): Promise<readonly string[]> {
  const found = async (): Promise<readonly string[]> => {
    const known = (await world.state())?.instances.map(({ id }) => id) ?? [];
    const running = await world.workloads.list();
    return running.map(({ id }) => id).filter((id) => !known.includes(id));
  };
  if ((await found()).length > 0) {
    await world.replaceController();
    await world.clock.advance(15_000);
  }
  return (await found()).map((id) => `5: ${id} is left and belongs to no service`);
}
