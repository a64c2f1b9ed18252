import { isBaseline } from '../baseline.ts';
import { runningExperiment } from '../experiment/arms.ts';
import type { ServiceState } from '../service-state.ts';
import { watching } from './witness.ts';
import type { Watch } from './world.ts';

/** How many stories had what in them, by its name. */
export type Coverage = Readonly<Record<string, number>>;

export interface CoverageWatch extends Watch {
  readonly seen: ReadonlySet<string>;
  see(what: string): void;
}

/** Notes what a story had in it, from what is stored and what goes wrong. */
export function coverageWatch(): CoverageWatch {
  const seen = new Set<string>();
  return {
    ...watching({
      stored(before, after) {
        if (!after) return;
        for (const what of seenIn(after)) seen.add(what);
        if (before) for (const what of seenBetween(before, after)) seen.add(what);
      },
      crashed: (moment, _, effect) => seen.add(`crash ${moment}: ${effect}`),
    }),
    seen,
    see: (what) => seen.add(what),
  };
}

/** Of several parts, or of single stories. */
export function addCoverage(parts: readonly Coverage[]): Coverage {
  const sums: Record<string, number> = {};
  for (const part of parts) for (const [what, count] of Object.entries(part)) sums[what] = (sums[what] ?? 0) + count;
  return sums;
}

function* seenIn(state: ServiceState): Generator<string> {
  const { candidate, settings, stable } = state;
  const { rollout } = settings;
  if (!candidate || stable === undefined) return;
  const course = candidate.course;
  yield `strategy: ${candidate.urgent === true ? 'return at once' : rollout.experiment ? 'experiment' : rollout.strategy}`;
  if (typeof rollout.maxSurge === 'string') yield 'rolled by parts of the instances';
  if (rollout.chosen) yield `auto: ${rollout.strategy}`;
  if (candidate.paused) yield candidate.paused.reason === 'waits for approval' ? 'held for approval' : 'held';
  if (state.instances.some((instance) => isBaseline(state, instance) && instance.phase === 'ready')) yield 'fresh baseline';
  if (rollout.affinity && course) yield 'sticky users';
  if (!course) return;
  if (course.mirror) yield 'copied requests';
  if (course.smokePassed === true && rollout.smoke) yield 'smoke check passed';
  if (candidate.heldBack === true) yield 'rolled, and held back by its hooks';
  if (rollout.fullSet && rollout.stages && course.inForceSince !== undefined && course.weight === 0) yield 'preview';
  if (!rollout.fullSet && course.inForceSince !== undefined && course.weight === 0 && !course.mirror) yield 'a stage of nothing';
  if (course.evidence && course.evidence.verdict.units > 0) yield 'evidence of requests';
  if (course.copies && course.copies.verdict.units > 0) yield 'evidence of copies';
  for (const run of Object.values(course.hooks ?? {})) yield `hook ${run.status}`;
  for (const { counts } of course.sources ?? []) {
    for (const [outcome, count] of Object.entries(counts)) if (count > 0) yield `source says ${outcome}`;
  }
  yield* seenInExperiment(course);
}

function* seenInExperiment(course: NonNullable<NonNullable<ServiceState['candidate']>['course']>): Generator<string> {
  const { experiment } = course;
  if (!experiment) return;
  if (runningExperiment(course)) yield 'experiment: under way';
  if (experiment.arms.some(({ withdrawn }) => withdrawn !== undefined)) yield 'experiment: an arm withdrawn';
  if (experiment.finding) yield `experiment: ${experiment.finding.outcome}`;
  if (experiment.promoted !== undefined) yield 'experiment: an arm promoted';
}

function* seenBetween(before: ServiceState, after: ServiceState): Generator<string> {
  const [was, is] = [before.candidate?.generation, after.candidate?.generation];
  if (was !== undefined && was !== is) {
    const failure = after.failure?.generation === was ? after.failure : undefined;
    if (after.stable === was) yield 'end: completed';
    else if (failure?.reason.startsWith('its smoke check')) yield 'end: failed its smoke check';
    else if (failure) yield failure.evidence?.verdict === 'fail' ? 'end: taken back by evidence' : 'end: failed';
    else if (is !== undefined) yield 'end: superseded';
  }
  if (before.replicas !== after.replicas && after.candidate && was === is) yield 'scaled during a rollout';
  if (after.replicas === 0 && before.replicas > 0 && after.candidate) yield 'scaled to nothing during a rollout';
  if (after.mode === 'removed' && before.mode !== 'removed' && before.candidate) yield 'removed during a rollout';
  if (after.previous && !before.previous) yield 'previous set kept';
}
