import { jsonEquals, type Json } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { Address } from '../stack/stack.ts';
import { newCourse } from './course-state.ts';
import { originOf } from './experiment/arms.ts';
import { leftBehind } from './left-behind.ts';
import {
  type Candidate,
  revisionOf,
  targetGeneration,
  type Revision,
  type RevisionContent,
  type ServiceSettings,
  type ServiceState,
} from './service-state.ts';
import { treatmentOfStable } from './treatment.ts';

/** What a provider wants a service to be. */
export interface DesiredService {
  readonly address: Address;
  readonly environment: string;
  readonly name: string;
  /** Id of the operation that wants it: repeated after a crash with the same id, it starts no second rollout. */
  readonly operation: string;
  /** Who wants it, by name. */
  readonly by?: string;
  readonly replicas: number;
  readonly settings: ServiceSettings;
  readonly revision: RevisionContent;
  /** Of the declared experiment. */
  readonly arms?: NonNullable<ServiceState['arms']>;
}

/** Identity of a service for its whole life: chosen once, stored with its first state. */
export type NewServiceIdentity = Pick<ServiceState, 'uid' | 'token'>;

export function newService(desired: DesiredService, identity: NewServiceIdentity, now: number): ServiceState {
  const { address, environment, name, operation, replicas, settings, revision, arms } = desired;
  const empty: ServiceState = {
    address,
    environment,
    name,
    operation,
    replicas: withinScale(replicas, settings),
    settings,
    ...(arms && { arms }),
    ...identity,
    mode: 'running',
    instanceSequence: 0,
    generation: 0,
    revisions: [],
    instances: [],
  };
  return withCandidate(empty, revision, now);
}

/**
 * Turns an existing service to what is desired. What it is already moving to goes on undisturbed; what was stable all along becomes the
 * target again; anything else is a new candidate, and a rollout under way is superseded.
 */
export function withDesired(state: ServiceState, desired: DesiredService, now: number): ServiceState {
  const repeated = state.operation === desired.operation;
  const { operation, replicas, settings, revision, arms } = desired;
  // Where load decides, it has: a stack that is applied again does not begin anew.
  const wanted = withinScale(settings.scaling ? state.replicas : replicas, settings);
  const { arms: before, ...current } = relabelled(ofSize(resumed(state, now), wanted, now), revision);
  const next: ServiceState = { ...current, operation, settings, ...(arms && { arms }) };
  const { candidate: _, failure: __, stableTreatment: ___, leftBehind: ____, ...rest } = next;
  const settled: ServiceState = { ...rest, ...leftBehind(state) };
  const isSameExperiment = jsonEquals(experimentIn(before, state.settings), experimentIn(arms, settings));
  if (next.candidate && isSameExperiment && sameContent(revisionOf(next, originOf(next.candidate)), revision)) return next;
  if (sameContent(revisionOf(next, next.stable), revision) || isChosen(next, revision)) return settled;
  if (repeated && sameContent(revisionOf(next, next.failure?.generation), revision)) return next;
  return withCandidate({ ...settled, stableTreatment: treatmentOfStable(state) }, revision, now);
}

/** What cannot change in the midst of an experiment: its arms, what they are compared by and their share. How long it lasts can. */
function experimentIn(arms: ServiceState['arms'], { rollout }: ServiceSettings): Json {
  const { metric, share } = rollout.experiment ?? {};
  return { arms: arms ?? null, metric: metric ?? null, share: share ?? null } as unknown as Json;
}

/** Whether what is in use is the arm that was promoted in the place of this very release, and still is made as declared. */
function isChosen(state: ServiceState, { release }: RevisionContent): boolean {
  const { chosen, arms } = state;
  const stable = revisionOf(state, state.stable);
  if (!chosen || chosen.of !== release || chosen.release !== stable?.release) return false;
  const arm = arms?.of === release ? arms.members.find(({ name }) => name === chosen.arm) : undefined;
  return arm !== undefined && sameContent(stable, arm.content);
}

/** Why this very thing was taken back before, while what was in use then still is: it would be again. A repeated operation is no other try. */
export function failedBefore(state: ServiceState | undefined, { operation, settings, revision, arms }: DesiredService): string | undefined {
  if (!state?.failure || state.candidate || state.stable === undefined || state.operation === operation) return undefined;
  const { failure } = state;
  const isSame =
    sameContent(revisionOf(state, failure.began ?? failure.generation), revision) &&
    jsonEquals((state.arms ?? null) as unknown as Json, (arms ?? null) as unknown as Json);
  return isSame && jsonEquals(state.settings.rollout as unknown as Json, settings.rollout as unknown as Json)
    ? state.failure.reason
    : undefined;
}

/** Throws `scaled_by_load` for a service whose load decides. */
export function scaled(state: ServiceState, replicas: number, now: number): ServiceState {
  const { scaling } = state.settings;
  if (scaling) throw sluiceError('scaled_by_load', { service: state.address, min: scaling.min, max: scaling.max });
  return ofSize(state, replicas, now);
}

/** A rollout that waited because there was to be no instance at all has its full time again. */
function ofSize(state: ServiceState, replicas: number, now: number): ServiceState {
  const isBack = state.replicas === 0 && replicas > 0 && state.candidate !== undefined;
  return { ...state, replicas, ...(isBack && state.candidate && { candidate: anew(state.candidate, now) }) };
}

/** As load has decided; undefined when what it was decided on is no longer so. */
export function autoscaled(
  state: ServiceState,
  { from, to }: { readonly from: number; readonly to: number },
  now: number,
): ServiceState | undefined {
  if (state.mode !== 'running' || !state.settings.scaling || state.replicas !== from) return undefined;
  return ofSize(state, withinScale(to, state.settings), now);
}

/** The number of instances nearest to this one that load may decide on; any where it decides nothing. */
export function withinScale(replicas: number, { scaling }: Pick<ServiceSettings, 'scaling'>): number {
  return scaling ? Math.min(scaling.max, Math.max(scaling.min, replicas)) : replicas;
}

/** A new revision of the same content: every instance is replaced. Undefined when the service has never run anything. */
export function restarted(state: ServiceState, now: number): ServiceState | undefined {
  const current = revisionOf(state, targetGeneration(state));
  if (!current) return undefined;
  const { generation: _, ...content } = current;
  const { failure: __, ...settled } = state;
  return withCandidate({ ...settled, ...leftBehind(state) }, content, now);
}

export function suspended(state: ServiceState): ServiceState {
  return state.mode === 'running' ? { ...state, mode: 'suspended' } : state;
}

/** Runs again; a rollout that was interrupted has its full time again. */
export function resumed(state: ServiceState, now: number): ServiceState {
  if (state.mode === 'running') return state;
  return { ...state, mode: 'running', ...(state.candidate && { candidate: anew(state.candidate, now) }) };
}

/** Time that passed while nothing ran is no time a stage has lasted. */
function anew(candidate: Candidate, now: number): Candidate {
  const { course, ...rest } = candidate;
  const { inForceSince: _, ...prepared } = course ?? newCourse;
  return { ...rest, progressAt: now, ...(course && { course: prepared }) };
}

/** A rollout under way ends here: whoever wants the service again before all of it is gone begins another one. */
export function removed(state: ServiceState): ServiceState {
  const { candidate: _, ...settled } = state;
  return { ...settled, mode: 'removed' };
}

export function withCandidate(state: ServiceState, content: RevisionContent, now: number): ServiceState {
  const generation = state.generation + 1;
  return {
    ...state,
    generation,
    revisions: [...state.revisions, { ...content, generation }],
    candidate: { generation, startedAt: now, progressAt: now, progress: Number.MIN_SAFE_INTEGER },
  };
}

/** The version is a label: a new one for the same content replaces nothing. */
function relabelled(state: ServiceState, content: RevisionContent): ServiceState {
  const { version } = content;
  const revisions = state.revisions.map((revision) => (sameContent(revision, content) ? { ...revision, version } : revision));
  return { ...state, revisions };
}

function sameContent(revision: Revision | undefined, content: RevisionContent): boolean {
  if (!revision) return false;
  const { generation: _, ...current } = revision;
  return jsonEquals({ ...current, version: content.version } as unknown as Json, content as unknown as Json);
}
