import type { EventType, NewEvent } from '../telemetry/events.ts';
import { crashLoopExits, exitWindowMs, restartPauseMs } from './restart-backoff.ts';
import { isPublishedDrained } from './service-route.ts';
import { revisionOf, type Instance, type InstancePhase, type ServiceState } from './service-state.ts';
import { waitedFor, type Observation, type ObservedInstance } from './strategy.ts';

/** How long the gateway may be away before a service that is to stop stops without it. */
const gatewayPatienceMs = 5_000;
/** After its work is done, an instance has this long to end by itself. */
export const endGraceMs = 10_000;

export interface Advanced {
  readonly state: ServiceState;
  readonly events: readonly NewEvent[];
}

/** Each instance's phase by what is observed of it: started, ready, ended, drained. Decides nothing about how many there should be. */
export function advanceInstances(state: ServiceState, observation: Observation, now: number): Advanced {
  const events: NewEvent[] = [];
  const instances = state.instances.flatMap((instance) => {
    const observed = observation.instances.get(instance.id) ?? { status: 'absent' };
    const context: Context = {
      now,
      observation,
      state,
      tell: (type, level, message) => events.push(instanceEvent(state, instance, type, level, message)),
    };
    const advanced = advance(instance, observed, context);
    return advanced ? [advanced] : [];
  });
  return { state: { ...state, instances }, events };
}

interface Context {
  readonly now: number;
  readonly observation: Observation;
  readonly state: ServiceState;
  readonly tell: (type: EventType, level: NewEvent['level'], message: string) => void;
}

function advance(instance: Instance, observed: ObservedInstance, context: Context): Instance | undefined {
  switch (instance.phase) {
    case 'starting':
      return advanceStarting(instance, observed, context);
    case 'ready':
    case 'unready':
      return advanceServing(instance, observed, context);
    case 'backing_off':
    case 'crash_looping':
      return context.now >= (instance.retryAt ?? 0) ? again(instance, context.now) : instance;
    case 'giving_up':
      return observed.status === 'running' ? instance : crashed(instance, instance.reason ?? 'was not ready in time', context);
    case 'draining':
      return advanceDraining(instance, observed, context);
    case 'stopping':
      return observed.status === 'running' ? instance : stopped(instance, context);
    case 'stopped':
      break;
  }
  return observed.status === 'absent' ? undefined : instance;
}

function advanceStarting(instance: Instance, observed: ObservedInstance, context: Context): Instance {
  if (observed.status === 'absent') return instance;
  if (observed.status === 'ended') return crashed(instance, observed.reason, context);
  const started = { ...instance, process: observed.process, ...(observed.reason !== undefined && { reason: observed.reason }) };
  if (!instance.process) context.tell('instance.started', 'info', `started with pid ${observed.process.pid}`);
  if (observed.health === 'passing') {
    context.tell('instance.ready', 'info', 'is ready');
    return enter(started, 'ready', context.now);
  }
  const limit = revisionOf(context.state, instance.generation)?.health.startPeriodMs ?? 60_000;
  if (waitedFor(instance.since, context.observation, context.now) < limit) return started;
  const reason = `was not ready within ${limit / 1_000} s${observed.reason === undefined ? '' : ` (${observed.reason})`}`;
  return { ...enter(started, 'giving_up', context.now), reason };
}

function advanceServing(instance: Instance, observed: ObservedInstance, context: Context): Instance {
  if (observed.status === 'absent') return crashed(instance, 'its process is gone', context);
  if (observed.status === 'ended') return crashed(instance, observed.reason, context);
  if (instance.phase === 'ready' && observed.health === 'failing') {
    return { ...enter(instance, 'unready', context.now), ...(observed.reason !== undefined && { reason: observed.reason }) };
  }
  return instance.phase === 'unready' && observed.health === 'passing' ? enter(instance, 'ready', context.now) : instance;
}

/** New work has to have ceased before waiting for the old work makes sense: the clock of the drain starts with the gateway's word. */
function advanceDraining(instance: Instance, observed: ObservedInstance, context: Context): Instance {
  const { now, observation, state } = context;
  if (observed.status !== 'running') return stopped(instance, context);
  const { drainMs } = state.settings;
  if (instance.drainUntil === undefined) {
    if (isPublishedDrained(observation.published, instance)) return drainedBy(instance, now + drainMs, context);
    const givenUp = state.mode !== 'running' && now - instance.since > drainMs + gatewayPatienceMs;
    return givenUp ? enter(instance, 'stopping', now) : instance;
  }
  return drainedBy(instance, instance.drainUntil, context);
}

function drainedBy(instance: Instance, drainUntil: number, { now, observation }: Context): Instance {
  const idle = observation.inFlight !== undefined && (observation.inFlight.get(instance.id) ?? 0) === 0;
  return idle || now >= drainUntil ? enter(instance, 'stopping', now) : { ...instance, drainUntil };
}

function crashed(instance: Instance, reason: string, context: Context): Instance {
  const { now, tell } = context;
  const exits = [...instance.exits.filter((at) => now - at < exitWindowMs), now];
  const looping = exits.length >= crashLoopExits;
  tell('instance.exited', 'warning', reason);
  if (looping && instance.exits.length < crashLoopExits) {
    tell(
      'instance.crash_looping',
      'error',
      `ended ${exits.length} times within ${exitWindowMs / 60_000} minutes; the last time it ${reason}`,
    );
  }
  const retryAt = now + restartPauseMs(instance.id, exits.length);
  const { process: _, ...rest } = enter(instance, looping ? 'crash_looping' : 'backing_off', now);
  return { ...rest, exits, retryAt, reason };
}

function again(instance: Instance, now: number): Instance {
  const { process: _, ...rest } = enter(instance, 'starting', now);
  return { ...rest, restarts: instance.restarts + 1, ...(instance.reason !== undefined && { reason: instance.reason }) };
}

function stopped(instance: Instance, context: Context): Instance {
  context.tell('instance.stopped', 'info', 'has stopped');
  const { process: _, ...rest } = enter(instance, 'stopped', context.now);
  return rest;
}

/** Takes the instance out of service: by draining where the gateway may send it work, at once where it cannot. */
export function retire(instance: Instance, observation: Observation, now: number): Instance {
  if (instance.phase === 'draining' || instance.phase === 'stopping' || instance.phase === 'stopped') return instance;
  const serves = instance.phase === 'ready' || instance.phase === 'unready';
  if (serves) return enter(instance, 'draining', now);
  const mayGetWork = instance.process !== undefined && !isPublishedDrained(observation.published, instance);
  return enter(instance, mayGetWork ? 'draining' : 'stopping', now);
}

function enter(instance: Instance, phase: InstancePhase, now: number): Instance {
  const { retryAt: _, drainUntil: __, reason: ___, ...rest } = instance;
  return { ...rest, phase, since: now };
}

function instanceEvent(state: ServiceState, instance: Instance, type: EventType, level: NewEvent['level'], what: string): NewEvent {
  return {
    type,
    level,
    message: `${instance.id} ${what}`,
    environment: state.environment,
    address: state.address,
    data: { instance: instance.id, release: revisionOf(state, instance.generation)?.release ?? '' },
  };
}
