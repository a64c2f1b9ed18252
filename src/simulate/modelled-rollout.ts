import { seededRandom } from '../effects/random.ts';
import { hasStages, stagesOf } from '../rollout/course.ts';
import type { ServiceState } from '../rollout/service-state.ts';
import { type Answers, ordinaryAnswers } from '../rollout/simulation/answers.ts';
import type { Behaviour } from '../rollout/simulation/memory-workloads.ts';
import { desiredRelease } from '../rollout/simulation/desired-release.ts';
import { createWorld, type World } from '../rollout/simulation/world.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { EventLog, NewEvent } from '../telemetry/events.ts';
import { answersWith, behaviourWith } from './fault.ts';
import { loadWorld } from './loaded-world.ts';
import type { Course, Moment, Question } from './question.ts';
import { poisson } from './poisson.ts';
import { waitsForApproval } from '../rollout/rollout-outcome.ts';
import { measureAs } from './source-answer.ts';

const agent = { environment: 'default', name: 'agent' };
const address = 'default/service/agent';
const tickMs = 500;
/** An instance of either release. */
const ordinary: Behaviour = { readyAfter: 2_000, stopsAfter: 500 };
/** What stable has answered before: enough to know its latency. */
const requestsBefore = 1_000;
/** The time that instances have to leave once all is decided. */
const tidyMs = 120_000;
/** So long after a change of their number it is taken to be the right one; and looked for no longer than this. */
const scaledMs = 90_000;
const mostScalingMs = 900_000;

/**
 * One rollout of a candidate with this fault: the real controller and evidence, over modelled instances and requests, in virtual time. The
 * same seed gives the same course. Steps that wait for approval are approved when their time is over.
 */
export async function modelRollout(question: Question, seed: number, tell?: (moment: Moment) => void): Promise<Course> {
  const { service, fault, perSecond, users, baselineErrors, baselineMs, durationMs } = question;
  const stable = { ...ordinaryAnswers, errorRate: baselineErrors, medianMs: baselineMs };
  const idle = { stable, candidate: answersWith(fault, stable) };
  const answers: Record<string, Answers> = { ...idle };
  let scaledAt = 0;
  let began = Number.POSITIVE_INFINITY;
  const world = await createWorld({
    store: createMemoryStore(),
    events: eventsTold((event) => {
      if (event.type === 'service.scaled') scaledAt = world.clock.now();
      const at = Math.round(world.clock.now() - began);
      if (at >= 0 && isWorthTelling(event)) tell?.({ at, what: inWords(event, service.name) });
    }),
    behaviours: { stable: ordinary, candidate: behaviourWith(fault, ordinary) },
    answers,
    measure: () => measureAs(fault.sources ?? [], () => world.clock.now() - began),
    seed,
    users,
  });
  const random = seededRandom(seed + 2);
  await deploy(world, 'stable', service);
  await until(world, (state) => state.stable !== undefined && state.candidate === undefined);
  const load = loadWorld({ world, service: agent, question, idle, answers });
  const isScaling = (): boolean => service.scaling !== undefined && world.clock.now() < scaledAt + scaledMs;
  scaledAt = world.clock.now();
  const patience = scaledAt + mostScalingMs;
  while (isScaling() && world.clock.now() < patience) {
    load.pass(tickMs);
    await world.clock.advance(tickMs);
  }
  world.traffic.serve(agent, requestsBefore);
  began = world.clock.now();
  await deploy(world, 'candidate', service);
  const end = began + durationMs;
  let busyMs = 0;
  let state = current(world);
  const replicas = { first: state.replicas, most: state.replicas };
  const pass = async (requests: number): Promise<void> => {
    load.pass(tickMs);
    world.traffic.serve(agent, requests);
    await world.clock.advance(tickMs);
    state = current(world);
    busyMs += (runningIn(state) - replicas.first) * tickMs;
    replicas.most = Math.max(replicas.most, state.replicas);
  };
  let decided = decisionOf(state);
  while (decided === undefined && world.clock.now() < end) {
    await approve(world, state);
    await pass(poisson(random, (perSecond * tickMs) / 1_000));
    decided = decisionOf(state);
  }
  const decidedAt = world.clock.now();
  if (decided?.outcome === 'completed' && service.scaling) {
    // It has all requests: whether that many instances carry them shows only from then on.
    scaledAt = decidedAt;
    while (isScaling() && world.clock.now() < end) await pass(poisson(random, (perSecond * tickMs) / 1_000));
  }
  // Nothing decides over it any more: it has all requests for as long as is asked about.
  const restMs = decided?.outcome === 'completed' ? Math.max(0, end - world.clock.now()) : 0;
  if (service.scaling) busyMs += (state.replicas - replicas.first) * restMs;
  for (let left = (perSecond * restMs) / 1_000; left > 0; left -= mostAtOnce) {
    world.traffic.serve(agent, poisson(random, Math.min(left, mostAtOnce)));
  }
  load.stop();
  const { requests, errors, users: usersExposed } = world.traffic.servedBy(agent, 'candidate');
  const tidyUntil = decided?.outcome === 'held' ? decidedAt : world.clock.now() + tidyMs;
  while (isUntidy(state) && world.clock.now() < tidyUntil) await pass(0);
  await world.controller.stop();
  return {
    outcome: decided?.outcome ?? 'unfinished',
    ...(decided?.reason !== undefined && { reason: decided.reason }),
    byEvidence: decided?.byEvidence ?? false,
    ...(decided && { endedAfterMs: Math.round((decided.at ?? decidedAt) - began) }),
    usersExposed,
    requestsExposed: requests,
    failedRequests: errors,
    instanceMinutes: Math.max(0, busyMs + keptMs(state, world.clock.now())) / 60_000,
    replicas,
  };
}

const mostAtOnce = 100_000;

interface Decision {
  readonly outcome: 'completed' | 'taken_back' | 'held';
  readonly at?: number | undefined;
  readonly reason?: string;
  readonly byEvidence: boolean;
}

function decisionOf({ rollouts, candidate, failure }: ServiceState): Decision | undefined {
  const [record] = rollouts ?? [];
  const verdict = failure?.evidence ?? candidate?.course?.evidence?.verdict;
  if (record?.outcome === 'completed') return { outcome: 'completed', at: record.endedAt, byEvidence: false };
  if (record?.outcome === 'failed') {
    return { outcome: 'taken_back', at: record.endedAt, reason: record.reason ?? '', byEvidence: verdict?.verdict === 'fail' };
  }
  const { paused } = candidate ?? {};
  if (!paused || isApproval(paused.reason)) return undefined;
  const byEvidence = verdict?.verdict === 'fail' || verdict?.verdict === 'error';
  return { outcome: 'held', at: paused.since, reason: paused.reason, byEvidence };
}

/** Somebody looks at a step when its time is over, and agrees. */
async function approve({ controller, clock }: World, state: ServiceState): Promise<void> {
  const { candidate } = state;
  if (!candidate?.paused || !isApproval(candidate.paused.reason) || !hasStages(state)) return;
  const course = candidate.course ?? { stage: 0 };
  const { forMs = 0 } = stagesOf(state)[course.stage] ?? {};
  if (clock.now() - candidate.paused.since >= forMs)
    await controller.operate(address, { type: 'promote', full: false }, { by: 'somebody' });
}

function isApproval(reason: string): boolean {
  return reason === waitsForApproval;
}

function runningIn({ instances }: ServiceState): number {
  return instances.filter(({ process, phase }) => process !== undefined && phase !== 'stopped').length;
}

function isUntidy(state: ServiceState): boolean {
  return state.previous === undefined && state.instances.length !== state.replicas;
}

/** Instances of the release before that are kept ready, until they are not. */
function keptMs({ previous, instances }: ServiceState, now: number): number {
  if (!previous) return 0;
  return instances.filter(({ generation }) => generation === previous.generation).length * Math.max(0, previous.until - now);
}

async function deploy({ controller }: World, release: string, service: Question['service']) {
  const { replicas, drainMs, health, policies, scaling, rollout } = service;
  const desired = desiredRelease(release, release, { replicas });
  const { settings, revision } = desired;
  await controller.setDesired({
    ...desired,
    settings: { ...settings, drainMs, ...(policies && { policies }), ...(scaling && { scaling }), rollout },
    revision: { ...revision, health: { ...revision.health, ...health } },
  });
}

function current(world: World): ServiceState {
  return world.latest() as ServiceState;
}

async function until(world: World, holds: (state: ServiceState) => boolean): Promise<void> {
  while (!holds(current(world))) await world.clock.advance(tickMs);
}

/** That single instances start and stop is what every rollout consists of. */
function isWorthTelling({ type }: NewEvent): boolean {
  return !['instance.started', 'instance.ready', 'instance.stopped', 'instance.adopted'].includes(type);
}

function inWords({ type, message }: NewEvent, service: string): string {
  return type.startsWith('rollout.')
    ? message.replace(/^agent: (candidate )?/, 'the candidate ')
    : message.replace(/^agent /, `${service} `);
}

function eventsTold(tell: (event: NewEvent) => void): EventLog {
  return {
    publish: async (event) => {
      tell(event);
      return 0;
    },
    entry: (event) => ({ operation: 'append', log: 'events', value: { ...event } }),
    announce: () => undefined,
    read: async () => [],
    last: async () => 0,
    follow: async function* () {
      // Nobody watches a model.
    },
  };
}
