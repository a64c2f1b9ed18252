import type { Clock } from '../effects/clock.ts';
import { SluiceError } from '../errors/sluice-error.ts';
import type { Workloads } from '../providers/workloads.ts';
import type { EventLog } from '../telemetry/events.ts';
import { instanceSpec, type InstanceSpecPorts } from './instance-spec.ts';
import type { ServiceDocuments } from './service-documents.ts';
import type { ServiceMemory } from './service-memory.ts';
import { revisionOf, type ServiceState } from './service-state.ts';
import type { Measure } from './sources/measure.ts';
import type { Command } from './strategy.ts';
import type { TesterAnswer } from './traffic.ts';

const stopRetryMs = 1_000;

export interface ExecutionPorts extends InstanceSpecPorts {
  readonly workloads: Workloads;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly measure: Measure;
  readonly documents: ServiceDocuments;
  /** Has the service looked at again. */
  readonly wake: (key: string) => void;
}

/**
 * Carries out what a step has decided, after its state is durable. Commands that fail do not keep the others from being done, nor what
 * follows from those: a failure is thrown when nothing was done beside it. Resolves with whether anything was done that the next
 * observation will show.
 */
export async function execute(
  key: string,
  state: ServiceState,
  commands: readonly Command[],
  memory: ServiceMemory,
  ports: ExecutionPorts,
): Promise<boolean> {
  const results = await Promise.allSettled(commands.map((command) => perform(key, state, command, memory, ports)));
  if (results.some((result) => result.status === 'fulfilled' && result.value)) return true;
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return false;
}

async function perform(key: string, state: ServiceState, command: Command, memory: ServiceMemory, ports: ExecutionPorts): Promise<boolean> {
  switch (command.type) {
    case 'announce':
      // Events inform; that one cannot be written now must not hold up what it tells of.
      await ports.events.publish(command.event).catch(() => undefined);
      return false;
    case 'start':
      return start(state, command.instance, memory, ports);
    case 'publish':
      await ports.traffic.publish(command.route);
      memory.published = command.route;
      return true;
    case 'stop':
      stopInBackground(key, command, memory, ports);
      return false;
    case 'forget':
      await ports.workloads.forget(command.instance);
      return true;
    case 'smoke':
      return smoke(state, command, memory, ports);
    case 'measure':
      void measureInBackground(key, state, command, memory, ports);
      return false;
    case 'withdraw':
      break;
  }
  // Whoever wants the service again meanwhile has it published anew.
  memory.published = undefined;
  await ports.traffic.remove(state);
  await ports.documents.remove(key, state);
  return true;
}

async function start(state: ServiceState, id: string, memory: ServiceMemory, ports: ExecutionPorts): Promise<boolean> {
  const instance = state.instances.find((candidate) => candidate.id === id);
  const revision = revisionOf(state, instance?.generation);
  if (!instance || !revision) return false;
  try {
    await ports.workloads.start(await instanceSpec(state, instance, revision, ports));
    memory.starts.set(id, instance.since);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    // An instance that cannot be started counts as one that ended at once: it backs off, and a candidate that cannot start fails.
    memory.failedStarts.set(id, { since: instance.since, reason: `could not be started: ${error.message}` });
  }
  return true;
}

/** A source may take as long as its timeout to answer: the service is looked after meanwhile. */
async function measureInBackground(
  key: string,
  state: ServiceState,
  command: Command & { type: 'measure' },
  memory: ServiceMemory,
  ports: ExecutionPorts,
): Promise<void> {
  if (await memory.measurements.make(command.key, state, command.source, ports)) ports.wake(key);
}

/** Stopping may take as long as its deadline: the service is looked after meanwhile. */
function stopInBackground(key: string, command: Command & { type: 'stop' }, memory: ServiceMemory, ports: ExecutionPorts): void {
  if (memory.stops.has(command.instance)) return;
  memory.stops.add(command.instance);
  void stopOrPause(command, ports).finally(() => {
    memory.stops.delete(command.instance);
    ports.wake(key);
  });
}

/** What could not be stopped is given out as a command again by the next pass, which comes after a pause. */
async function stopOrPause({ instance, deadlineMs }: Command & { type: 'stop' }, { workloads, clock }: ExecutionPorts): Promise<void> {
  try {
    await workloads.stop(instance, deadlineMs);
  } catch {
    await clock.sleep(stopRetryMs);
  }
}

/**
 * One request to each instance, then one on each way through the gateway, as a user of the candidate would make it. Forgotten by a crash, it is
 * made again. Throws while the gateway is away, which is nobody's failure.
 */
async function smoke(
  state: ServiceState,
  { instances, routes, check }: Command & { type: 'smoke' },
  memory: ServiceMemory,
  { workloads, traffic }: ExecutionPorts,
): Promise<boolean> {
  const { candidate } = state;
  if (!candidate) return false;
  const failed =
    (await failureAmong(instances.map(async (id) => [id, await workloads.probe(id, { type: 'http', ...check })] as const))) ??
    (await failureAmong(
      routes.map(async (route) => [`${route.host} through the gateway`, await traffic.ask(state, route, check)] as const),
    ));
  memory.smokes.set(candidate.generation, failed === undefined ? { outcome: 'passed' } : { outcome: 'failed', reason: failed });
  return true;
}

/** Who failed and why; undefined when nobody did. */
async function failureAmong(asked: readonly Promise<readonly [who: string, answer: TesterAnswer]>[]): Promise<string | undefined> {
  for (const [who, answer] of await Promise.all(asked)) if (!answer.ready) return `${who}: ${answer.reason}`;
  return undefined;
}
