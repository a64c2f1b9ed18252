import { type Answers, latencyAt, meanMs } from '../rollout/simulation/answers.ts';
import type { World } from '../rollout/simulation/world.ts';
import { createAutoscaler } from '../scaling/autoscaler.ts';
import { createModelledLoad, type LoadedBackend } from './modelled-load.ts';
import type { Question } from './question.ts';

/** A world in which an instance can have too much to do, and load decides how many there are where that is declared. */
export interface LoadedWorld {
  /** So much time (ms) is about to pass: answers get slower, or faster, by what there is to do. */
  pass(ms: number): void;
  stop(): void;
}

/** `idle` by release: how it answers with little to do. `answers` is kept at how it answers now. */
export function loadWorld(options: {
  readonly world: World;
  readonly service: { readonly environment: string; readonly name: string };
  readonly question: Pick<Question, 'perSecond' | 'capacity'> & { readonly service: Pick<Question['service'], 'scaling' | 'policies'> };
  readonly idle: { readonly stable: Answers; readonly candidate: Answers };
  readonly answers: Record<string, Answers>;
}): LoadedWorld {
  const { world, service, question, idle, answers } = options;
  const { perSecond, capacity } = question;
  if (capacity === undefined) return { pass: () => undefined, stop: () => undefined };
  const { limits } = question.service.policies ?? {};
  const places = Math.max(1, Math.round((capacity * meanMs(idle.stable)) / 1_000));
  const load = createModelledLoad({
    service,
    places: Math.min(places, limits?.concurrency ?? places),
    ...(limits?.concurrency !== undefined && { atDoor: limits.queue }),
  });
  const idleOf = (name: string): Answers => (name === 'candidate' ? idle.candidate : idle.stable);
  const stopped = new AbortController();
  const autoscaler = createAutoscaler({ services: world.controller, counts: async () => load.counts(), clock: world.clock });
  if (question.service.scaling) void autoscaler.run(stopped.signal);
  return {
    pass(ms) {
      const backends = backendsOf(world, service, perSecond).map((backend): LoadedBackend => {
        const answering = idleOf(backend.release);
        const { release, instances, perSecond: coming } = backend;
        const serviceMs = meanMs(answering);
        // A whole number of places carries exactly as much as is asked for.
        const occupiedMs = ((1_000 * places) / capacity) * (serviceMs / meanMs(idle.stable));
        return { release, instances, perSecond: coming, serviceMs, occupiedMs, tail: latencyAt(answering, 0.95) / serviceMs };
      });
      load.pass(backends, ms);
      for (const { release } of backends) {
        const answering = idleOf(release);
        answers[release] = { ...answering, medianMs: answering.medianMs * load.slowdownOf(release) };
      }
    },
    stop: () => stopped.abort(),
  };
}

/** What comes to each backend of the route: those without an instance that can answer leave theirs to the others. Copies are work as requests are. */
function backendsOf({ traffic, workloads }: World, service: { readonly environment: string; readonly name: string }, perSecond: number) {
  const route = traffic.route(service);
  const backends = (route?.backends ?? []).map(({ release, weight, instances }) => ({
    release,
    weight,
    instances: instances.filter(({ id, state }) => state === 'active' && workloads.isReady(id)).length,
  }));
  const able = backends.filter(({ instances }) => instances > 0);
  const total = able.reduce((sum, { weight }) => sum + weight, 0);
  return able.map(({ release, weight, instances }) => {
    const copied = route?.mirror?.release === release ? route.mirror.percent / 100 : 0;
    return { release, instances, perSecond: perSecond * (copied + (total === 0 ? 0 : weight / total)) };
  });
}
