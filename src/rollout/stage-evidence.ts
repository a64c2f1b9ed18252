import { stageOf, stagesOf } from './course.ts';
import type { Course } from './course-state.ts';
import { decidingVerdict, isCounted } from './course-verdict.ts';
import type { Verdict } from './evidence/judge.ts';
import { unitNoun } from './evidence/words.ts';
import type { Advanced } from './instance-lifecycle.ts';
import { rolloutEvent } from './rollout-outcome.ts';
import type { AnalysisSettings, ServiceState } from './service-state.ts';
import { isDue, isOfStage } from './sources/due.ts';
import { sourceFinding } from './sources/source-finding.ts';
import { foldMeasurement, nextKey, type SourceState, sourceStates } from './sources/source-state.ts';
import { type Command, limitOf, type Observation } from './strategy.ts';

/** The course with what the sources have come to since. Pure, and the same measurement is counted once. */
export function foldSources({ settings, candidate }: ServiceState, course: Course, seen: Observation['measurements']): Course {
  const declared = settings.rollout.analysis?.sources ?? [];
  if (!candidate || (declared.length === 0 && course.sources === undefined)) return course;
  const { sources: known, ...rest } = course;
  if (declared.length === 0) return rest;
  return { ...rest, sources: sourceStates(declared, known).map((source) => foldMeasurement(source, candidate.generation, seen)) };
}

/** What is to be measured now: each source at its interval while a stage is in force, and once more when the stage's time is over. */
export function measureCommands(state: ServiceState, now: number): Command[] {
  const { candidate, settings } = state;
  const course = candidate?.course;
  const since = course?.inForceSince;
  const declared = settings.rollout.analysis?.sources ?? [];
  if (!course || since === undefined) return [];
  const until = since + stageOf(state, course).forMs;
  const states = sourceStates(declared, course.sources);
  return declared.flatMap((source, index): Command[] => {
    const known = states[index];
    if (!known || !isDue(source, known, { since, until }, now)) return [];
    return [{ type: 'measure', source, key: nextKey(candidate.generation, known) }];
  });
}

/** What the evidence says at the end of a stage that has lasted its time. */
type StageEnd =
  | { readonly way: 'on' }
  | { readonly way: 'stay' | 'back'; readonly lacks: 'requests' | 'sources' | 'pass'; readonly why: string };

/**
 * Whether a stage may end: enough was counted, every source has passed since the stage's time was over and, where the stage asks for it,
 * the verdict is `pass`. What is still being found out is waited for; of what cannot be found out `no_data` says what follows.
 */
export function evidenceAtEnd(state: ServiceState, course: Course, now: number, watched: Pick<Observation, 'watchedSince'> = {}): StageEnd {
  const { analysis } = state.settings.rollout;
  const { passWithinMs, forMs, weight, mirror } = stageOf(state, course);
  const isLast = course.stage >= stagesOf(state).length - 1;
  if (!analysis || course.approved === true || (isLast && passWithinMs === undefined)) return { way: 'on' };
  const since = course.inForceSince ?? now;
  const seen = mirror ? course.copies : course.evidence;
  const missing = weight > 0 || mirror ? tooFew(seen?.verdict, analysis) : undefined;
  const states = course.sourcesOverruled === true ? [] : sourceStates(analysis.sources ?? [], course.sources);
  const pending = states.find(
    (source) => !isOfStage(source, since + forMs) || ['fail', 'error'].includes(source.last?.measured.outcome ?? ''),
  );
  if (pending) return { way: 'stay', lacks: 'sources', why: pendingInWords(analysis, pending) };
  const withoutData = states.find(({ last }) => last?.measured.outcome === 'no_data');
  if (passWithinMs !== undefined) {
    const verdict = decidingVerdict(state, course);
    if (verdict?.verdict === 'pass' || (verdict === undefined && (course.overruled ?? course.sourcesOverruled) === true))
      return { way: 'on' };
    const why = `it has to pass: ${verdict?.because ?? 'nothing has been counted yet'}`;
    return now < limitOf(since, watched, Math.max(passWithinMs, forMs))
      ? { way: 'stay', lacks: 'pass', why }
      : byRule(analysis, 'pass', why);
  }
  if (withoutData) return byRule(analysis, 'sources', saysOf(analysis, withoutData));
  return missing === undefined ? { way: 'on' } : byRule(analysis, 'requests', missing);
}

function byRule({ noData }: AnalysisSettings, lacks: 'requests' | 'sources' | 'pass', why: string): StageEnd {
  if (noData === 'continue') return { way: 'on' };
  return noData === 'rollback' ? { way: 'back', lacks, why: `${why}, and no_data is rollback` } : { way: 'stay', lacks, why };
}

function tooFew(counted: Verdict | undefined, analysis: AnalysisSettings): string | undefined {
  const [units, { minUnits }] = [counted?.units ?? 0, analysis.rules];
  if (!isCounted(analysis) || units >= minUnits) return undefined;
  return `${units} of ${minUnits} ${unitNoun({ of: counted?.of }, 2)} have been seen`;
}

/** What it came to last, where that is what keeps the stage from ending. */
function pendingInWords(analysis: AnalysisSettings, source: SourceState): string {
  const isTroubled = ['fail', 'error'].includes(source.last?.measured.outcome ?? '');
  return isTroubled ? saysOf(analysis, source) : `${source.name} is being measured`;
}

function saysOf({ sources = [] }: AnalysisSettings, source: SourceState): string {
  const settings = sources.find(({ name }) => name === source.name);
  return settings ? sourceFinding(settings, source).because : `${source.name} is being measured`;
}

/**
 * The hold that has just been set because of an error, as one that ends by itself where only sources could not be asked: what the gateway
 * counted is to be trusted, and they may come back.
 */
export function heldForEvidence(held: Advanced, { sources = [] }: Verdict, { evidence, copies }: Course): Advanced {
  const { candidate } = held.state;
  const isTrusted = [evidence, copies].every((counted) => counted?.verdict.verdict !== 'error');
  const mayEnd = sources.some(({ verdict }) => verdict === 'error') && isTrusted;
  if (!candidate?.paused || held.events.length === 0 || !mayEnd) return held;
  return { ...held, state: { ...held.state, candidate: { ...candidate, paused: { ...candidate.paused, recovers: true } } } };
}

/** A candidate that was held because a source could not be asked goes on by itself once that is over. */
export function recovered(state: ServiceState, now: number): Advanced {
  const { candidate } = state;
  if (candidate?.paused?.recovers !== true) return { state, events: [] };
  const { paused: _, ...going } = candidate;
  const event = rolloutEvent(state, candidate.generation, 'rollout.progressed', 'goes on: every source can be asked again');
  return { state: { ...state, candidate: { ...going, progressAt: now } }, events: [event] };
}
