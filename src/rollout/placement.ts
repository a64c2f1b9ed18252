import { retire } from './instance-lifecycle.ts';
import { isPublishedActive } from './service-route.ts';
import type { Instance, ServiceState } from './service-state.ts';
import type { Observation } from './strategy.ts';

/** The state with `count` more instances of a generation, about to start. */
export function withNewInstances(
  state: ServiceState,
  generation: number | undefined,
  count: number,
  now: number,
  mark: Pick<Instance, 'baseline' | 'heldBack'> = {},
): ServiceState {
  if (generation === undefined || count <= 0) return state;
  const added = Array.from({ length: count }, (_, index): Instance => {
    const id = `${state.name}-${state.uid}-${state.instanceSequence + index + 1}`;
    return { id, generation, ...mark, phase: 'starting', since: now, restarts: 0, exits: [] };
  });
  return { ...state, instanceSequence: state.instanceSequence + count, instances: [...state.instances, ...added] };
}

/**
 * Takes away at once what gets no requests and is needed no more: a set that was kept longer than promised or into another rollout, and a
 * candidate that was withdrawn. It is no capacity to count on, and must not get requests again.
 */
export function withoutIdle(state: ServiceState, observation: Observation, now: number): ServiceState {
  const { previous, candidate, failure, stable } = state;
  const isOver = previous !== undefined && (now >= previous.until || candidate !== undefined);
  const idle = new Set([isOver ? previous.generation : undefined, failure?.withdrawn === true ? failure.generation : undefined]);
  for (const used of [stable, candidate?.generation]) idle.delete(used);
  const isAnswered = state.instances.some((instance) => instance.generation === stable && mayAnswer(instance));
  const { previous: _, ...rest } = state;
  const kept = isOver ? rest : state;
  if (!isAnswered) return kept;
  return {
    ...kept,
    instances: state.instances.map((instance) => (idle.has(instance.generation) ? retire(instance, observation, now) : instance)),
  };
}

/** Ready, and the gateway is known to send it work: only such an instance counts as capacity. */
export function isServing(instance: Instance, observation: Pick<Observation, 'published'>): boolean {
  return instance.phase === 'ready' && isPublishedActive(observation.published, instance);
}

/** Less than serving: it gets requests and may answer them. Without anything better it is not taken away. */
export function mayAnswer({ phase }: Instance): boolean {
  return phase === 'ready' || phase === 'unready';
}

/** Serving first, then ready, then starting, then the rest; the longer in its phase, the more useful. */
export function byUsefulness(observation: Observation) {
  const rank = (instance: Instance): number => {
    if (isServing(instance, observation)) return 0;
    return { ready: 1, unready: 2, starting: 3 }[instance.phase as 'ready' | 'unready' | 'starting'] ?? 4;
  };
  return (left: Instance, right: Instance): number => rank(left) - rank(right) || left.since - right.since;
}
