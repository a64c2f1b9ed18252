import { jsonEquals } from '../digest/json.ts';
import { runningExperiment } from './experiment/arms.ts';
import { endGraceMs, type Advanced } from './instance-lifecycle.ts';
import { routeOf } from './service-route.ts';
import { revisionOf, type Instance, type ServiceState } from './service-state.ts';
import { limitOf, type Command, type Observation, type StepResult } from './strategy.ts';

const inFlightPollMs = 100;

/** The commands that bring the world to a decided state: derived from the state alone, so that a lost command is given again. */
export function conclude({ state: decided, events }: Advanced, observation: Observation, now: number): StepResult {
  const state = withoutUnusedRevisions(decided);
  const route = routeOf(state);
  const commands: Command[] = events.map((event) => ({ type: 'announce', event }));
  for (const instance of state.instances) commands.push(...commandsFor(instance, observation));
  if (!jsonEquals(route, observation.published)) commands.push({ type: 'publish', route });
  // A time that has come has been acted upon in this step; if it changed nothing, time alone will not.
  const times = [...state.instances.map((instance) => wakeTimeOf(instance, state, observation, now)), rolloutDeadline(state, observation)];
  const wakeAt = Math.min(...times.filter((time) => time > now));
  return { state, commands, ...(Number.isFinite(wakeAt) && { wakeAt }) };
}

function commandsFor({ id, phase }: Instance, observation: Observation): Command[] {
  const status = observation.instances.get(id)?.status ?? 'absent';
  if (phase === 'starting' && status === 'absent') return [{ type: 'start', instance: id }];
  if ((phase === 'stopping' || phase === 'giving_up') && status === 'running')
    return [{ type: 'stop', instance: id, deadlineMs: endGraceMs }];
  if (phase === 'stopped') return [{ type: 'forget', instance: id }];
  return [];
}

function wakeTimeOf(instance: Instance, state: ServiceState, observation: Observation, now: number): number {
  switch (instance.phase) {
    case 'backing_off':
    case 'crash_looping':
      return instance.retryAt ?? now;
    case 'starting':
      return limitOf(instance.since, observation, revisionOf(state, instance.generation)?.health.startPeriodMs ?? 60_000);
    case 'draining':
      return now + inFlightPollMs;
    case 'ready':
    case 'unready':
    case 'giving_up':
    case 'stopping':
    case 'stopped':
      break;
  }
  return Number.POSITIVE_INFINITY;
}

function rolloutDeadline({ candidate, settings }: ServiceState, observation: Observation): number {
  return candidate ? limitOf(candidate.progressAt, observation, settings.rollout.progressDeadlineMs) : Number.POSITIVE_INFINITY;
}

function withoutUnusedRevisions(state: ServiceState): ServiceState {
  const used = new Set<number | undefined>([
    state.stable,
    state.candidate?.generation,
    state.candidate?.began,
    ...(runningExperiment(state.candidate?.course)?.arms.map(({ generation }) => generation) ?? []),
    state.failure?.generation,
    state.failure?.began,
    state.previous?.generation,
  ]);
  for (const { generation } of state.instances) used.add(generation);
  const revisions = state.revisions.filter(({ generation }) => used.has(generation));
  return revisions.length === state.revisions.length ? state : { ...state, revisions };
}
