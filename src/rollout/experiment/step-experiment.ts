import { capacityFor } from '../course.ts';
import type { Course } from '../course-state.ts';
import type { Advanced } from '../instance-lifecycle.ts';
import { isServing } from '../placement.ts';
import { failRollout, recordProgress, rolloutEvent } from '../rollout-outcome.ts';
import { shareOf } from '../service-route.ts';
import type { Candidate, ServiceState, StageSettings } from '../service-state.ts';
import { type Observation, waitedFor } from '../strategy.ts';
import { experimentOf, runningArms } from './arms.ts';
import { begunExperiment } from './begin-experiment.ts';
import { comparedArms, shortOfUsers, unproven } from './compare-arms.ts';
import type { ArmCourse, ExperimentCourse, ExperimentSettings } from './experiment-state.ts';
import { judgedArms, withdrawal, withdrawn } from './judge-arms.ts';

/** What a step of an experiment comes to: `hold` says why it waits for somebody, `promote` names the arm that goes on by itself. */
export interface ExperimentStep extends Advanced {
  readonly hold?: string;
  readonly promote?: string;
}

/** An experiment at one step of it. */
interface Moment {
  readonly course: Course;
  readonly experiment: ExperimentCourse;
  readonly settings: ExperimentSettings;
  readonly stage: StageSettings;
  readonly observation: Observation;
  readonly now: number;
}

/** Shares of several releases add up to a hundred but for this. */
const roundingError = 1e-6;

/** Whether the candidate is at its experiment, which no arm has left yet. */
export function isExperimenting(state: ServiceState, course: Course, stage: StageSettings): boolean {
  return stage.experiment === true && experimentOf(state) !== undefined && course.experiment?.promoted === undefined;
}

/**
 * One step of an experiment: every arm gets its capacity, then all get their shares at once, then time and users pass while each is judged
 * for safety by itself; at last they are compared. An arm that does harm, ends again and again or does not get ready is withdrawn: its users
 * go back to control, the others go on. With the last one the rollout has failed. Pure; nothing is concluded twice.
 */
export function stepExperiment(
  given: ServiceState,
  before: Course,
  stage: StageSettings,
  observation: Observation,
  now: number,
): ExperimentStep {
  const begun = begunExperiment(given, before, now);
  const settings = experimentOf(begun.state);
  if (!settings || !begun.course.experiment) return { state: given, events: [] };
  const { course, events, error } = judgedArms(begun.state, begun.course, begun.course.experiment, observation, now);
  const state = withCourse(begun.state, course);
  const experiment = course.experiment ?? begun.course.experiment;
  if (runningArms(experiment).length === 0) return joined(events, allWithdrawn(state, experiment));
  if (error !== undefined) return { state, events, hold: error };
  if (state.candidate?.paused) return { state, events };
  const moment = { course, experiment, settings, stage, observation, now };
  return joined(events, course.inForceSince === undefined ? bringIntoForce(state, moment) : conclude(state, moment));
}

function joined(events: Advanced['events'], step: ExperimentStep): ExperimentStep {
  return { ...step, events: [...events, ...step.events] };
}

function allWithdrawn(state: ServiceState, { arms }: ExperimentCourse): ExperimentStep {
  const reasons = arms.map(({ name, withdrawn: out }) => `${name}: ${out?.reason ?? ''}`);
  const instance = arms.find(({ withdrawn: out }) => out?.instance !== undefined)?.withdrawn?.instance;
  return failRollout(state, `every arm of its experiment was withdrawn (${reasons.join('; ')})`, { instance, withdrawn: true });
}

/** Capacity of all arms first, then all their shares; the experiment begins once the gateway sends them. */
function bringIntoForce(state: ServiceState, { course, experiment, stage, observation, now }: Moment): ExperimentStep {
  const needed = capacityFor(stage.weight, state);
  const serving = (arm: ArmCourse): number =>
    state.instances.filter((instance) => instance.generation === arm.generation && isServing(instance, observation)).length;
  const running = runningArms(experiment);
  const lacking = running.filter((arm) => serving(arm) < needed);
  const arms = experiment.arms.map((arm) => (lacking.length > 0 || arm.withdrawn ? arm : { ...arm, weight: stage.weight }));
  const prepared: Course = { ...course, experiment: { ...experiment, arms } };
  const sent = running.map(({ generation }) => shareOf(observation.published, state, generation));
  // Where control cannot answer at all, the arms have everything among them, whatever is asked for them.
  const hasAll = sent.reduce((sum, share) => sum + share, 0) > 100 - roundingError;
  const isSent = sent.every((share) => share > stage.weight - roundingError && (hasAll || share < stage.weight + roundingError));
  if (lacking.length === 0 && isSent) {
    const names = running.map(({ name }) => name).join(', ');
    const begins = `begins its experiment: ${names} with ${Number(stage.weight.toFixed(2))} % of the requests each`;
    const event = rolloutEvent(state, state.candidate?.generation ?? 0, 'rollout.progressed', begins);
    const next = withCourse(state, { ...prepared, weight: stage.weight, inForceSince: now });
    return { state: withProgress(next, now), events: [event] };
  }
  const total = running.reduce((sum, arm) => sum + serving(arm), 0);
  const progressed = recordProgress(withCourse(state, prepared), { measure: course.stage * 10_000 + total, serving: total }, now);
  const waited = waitedFor(progressed.state.candidate?.progressAt ?? now, observation, now);
  if (waited < state.settings.rollout.progressDeadlineMs) return progressed;
  const reason = `it made no progress for ${Math.round(waited / 1_000)} s`;
  if (lacking.length === 0) return failRollout(state, reason);
  return withoutArms(state, prepared, lacking, reason, now);
}

/** The others have their full time again. */
function withoutArms(state: ServiceState, course: Course, out: readonly ArmCourse[], reason: string, now: number): ExperimentStep {
  const names = new Set(out.map(({ name }) => name));
  const arms = course.experiment?.arms.map((arm) => {
    if (!names.has(arm.name)) return arm;
    const stuck = state.instances.find(({ generation, reason: why }) => generation === arm.generation && why !== undefined);
    return withdrawn(arm, { reason: stuck ? `${reason}: ${stuck.id} ${stuck.reason}` : reason, ...(stuck && { instance: stuck.id }) }, now);
  });
  const next = withCourse(state, { ...course, ...(course.experiment && arms && { experiment: { ...course.experiment, arms } }) });
  return { state: withProgress(next, now), events: out.map((arm) => withdrawal(state, arm, reason)) };
}

/** Whether it has lasted long enough and been seen by enough; then what came of it, once and for all. */
function conclude(state: ServiceState, { course, experiment, settings, stage, now }: Moment): ExperimentStep {
  if (experiment.finding) return { state, events: [], hold: endInWords(experiment.finding.because) };
  if (now < (course.inForceSince ?? now) + stage.forMs || shortOfUsers(state, experiment, settings)) return { state, events: [] };
  const { analysis } = state.settings.rollout;
  const unknown = analysis ? unproven(course, experiment, analysis) : [];
  if (unknown.length > 0 && analysis?.noData === 'hold') return { state, events: [] };
  if (unknown.length > 0 && analysis?.noData === 'rollback') {
    return withoutArms(state, course, unknown, 'too few requests were seen to judge it', now);
  }
  const finding = { ...comparedArms(state, experiment, settings), at: now };
  const next = withCourse(state, { ...course, experiment: { ...experiment, finding } });
  const { winner, because } = finding;
  const event = rolloutEvent(state, state.candidate?.generation ?? 0, 'rollout.progressed', `has ended its experiment: ${because}`);
  return winner !== undefined && settings.onWinner === 'promote'
    ? { state: next, events: [event], promote: winner }
    : { state: next, events: [event], hold: endInWords(because) };
}

/** Why it waits once it has ended. */
function endInWords(because: string): string {
  return `the experiment has ended: ${because}`;
}

function withCourse(state: ServiceState, course: Course): ServiceState {
  return state.candidate ? { ...state, candidate: { ...state.candidate, course } } : state;
}

function withProgress(state: ServiceState, now: number): ServiceState {
  return { ...state, candidate: { ...(state.candidate as Candidate), progressAt: now } };
}
