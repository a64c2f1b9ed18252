import { stageOf } from './course.ts';
import { type Course, newCourse } from './course-state.ts';
import { combined } from './evidence/combine.ts';
import type { Verdict } from './evidence/judge.ts';
import type { AnalysisSettings, ServiceState } from './service-state.ts';
import { type SourceFinding, sourceFinding } from './sources/source-finding.ts';
import { newSourceState } from './sources/source-state.ts';

type Settled = Pick<ServiceState, 'settings'>;

/** Whether what the gateway counts has a say: where it is asked nothing, other sources alone decide. */
export function isCounted({ rules, sources = [] }: AnalysisSettings): boolean {
  const { errors, latency, decisions, tallies } = rules;
  return sources.length === 0 || [errors, latency, decisions, tallies].some((rule) => rule !== undefined);
}

/** What decides over the candidate at its stage: what the gateway counts and what every other source says, but for what was overruled. */
export function decidingVerdict(state: Settled, course: Course): Verdict | undefined {
  const { analysis } = state.settings.rollout;
  const isOverruled = (isCopying(state, course) ? course.copies?.overruled : course.overruled) === true;
  const counted = isOverruled ? undefined : countedAt(state, course);
  if (!analysis || course.sourcesOverruled === true) return counted;
  const findings = sourceFindings(analysis, course);
  return combined(counted ?? (isOverruled || !isCounted(analysis) ? undefined : nothingCounted), findings);
}

/** What there is to be seen of a course: as it decides, or, while the candidate has answered nothing, what its copies had come to. */
export function shownVerdict(state: Settled, course: Course = newCourse): Verdict | undefined {
  const { analysis } = state.settings.rollout;
  const { evidence, copies } = course;
  const isOfCopies = !isCopying(state, course) && copies !== undefined && (evidence?.verdict.units ?? 0) === 0;
  const counted = isOfCopies ? copies.verdict : countedAt(state, course);
  return combined(counted, analysis ? sourceFindings(analysis, course) : []);
}

/** What is not listened to any more when somebody goes on from the stage against what speaks against it. */
export function overruledBy(state: Settled, course: Course): Pick<Course, 'overruled' | 'copies' | 'sourcesOverruled'> {
  const { analysis } = state.settings.rollout;
  const counted = countedAt(state, course);
  const sources = analysis ? sourceFindings(analysis, course) : [];
  const ofSources = sources.some(speaksAgainst) ? { sourcesOverruled: true as const } : {};
  if (!counted || !speaksAgainst(counted)) return ofSources;
  return isCopying(state, course) && course.copies
    ? { ...ofSources, copies: { ...course.copies, overruled: true } }
    : { ...ofSources, overruled: true };
}

function speaksAgainst({ verdict }: Pick<Verdict, 'verdict'>): boolean {
  return verdict === 'fail' || verdict === 'error';
}

/** Copies while requests are copied to the candidate, else the requests it has answered; never both. */
function countedAt(state: Settled, course: Course): Verdict | undefined {
  const { analysis } = state.settings.rollout;
  if (analysis && !isCounted(analysis)) return undefined;
  return isCopying(state, course) ? course.copies?.verdict : course.evidence?.verdict;
}

function isCopying(state: Settled, course: Course): boolean {
  return stageOf(state, course).mirror !== undefined;
}

function sourceFindings({ sources = [] }: AnalysisSettings, course: Course): readonly SourceFinding[] {
  return sources.map((source) => sourceFinding(source, course.sources?.find(({ name }) => name === source.name) ?? newSourceState(source)));
}

const nothingCounted: Verdict = { verdict: 'inconclusive', units: 0, findings: [], because: 'nothing has been counted yet' };
