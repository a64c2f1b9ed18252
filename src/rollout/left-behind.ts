import { hasStages } from './course.ts';
import { isLive, type ServiceState } from './service-state.ts';

/**
 * What is to be remembered of a rollout that ends without having come into use: a candidate that went by stages, with the arms of its
 * experiment, had a share beside the whole of stable and was never counted as capacity, so that what comes next, however it is made, has
 * to give it no more: least of all where hooks had yet to agree to its first request. That stable is to be larger since makes it none.
 * Where it was rolled before, and stable had already begun to go, it was capacity and stays that. Pure; `state` is the one before the end.
 */
export function leftBehind(state: ServiceState): Pick<ServiceState, 'leftBehind'> {
  const { candidate, stable, instances, replicas, leftBehind: before = [] } = state;
  const isWhole = instances.filter((instance) => instance.generation === stable && isLive(instance)).length >= replicas;
  // One that is rolled has no course, or one for its hooks alone.
  const wentByStages = candidate?.course !== undefined && candidate.heldBack === undefined;
  const arms = candidate?.course?.experiment?.arms.map(({ generation }) => generation) ?? [];
  const ended = candidate && (isWhole || wentByStages) && hasStages(state) ? [candidate.generation, ...arms] : [];
  const known = [...new Set([...before, ...ended])].filter((each) => instances.some(({ generation }) => generation === each));
  return known.length > 0 ? { leftBehind: known } : {};
}

/** Whether this generation is no capacity to count on: see `leftBehind`. */
export function isLeftBehind({ leftBehind: left = [], stable, candidate }: ServiceState, generation: number): boolean {
  return left.includes(generation) && generation !== stable && generation !== candidate?.generation;
}
