import { stageOf } from './course.ts';
import { type Course, newCourse } from './course-state.ts';
import { combined } from './evidence/combine.ts';
import type { Rules, Verdict } from './evidence/judge.ts';
import type { AnalysisSettings, ServiceState } from './service-state.ts';
import { type SourceFinding, sourceFinding } from './sources/source-finding.ts';
import { newSourceState } from './sources/source-state.ts';

type Settled = Pick<ServiceState, 'settings'>;

/**
 * The rules for either kind of evidence. Where there are copies to be judged too, each kind has half of alpha: the chance that one of them is
 * wrong is then no more than the whole. Copies say nothing about decisions and what else answers say: those of a client who left are not
 * known. They are only compared with their requests: limits are for what users meet.
 */
export function rulesFor(kind: 'requests' | 'copies', { settings }: Settled, course: Course, { rules }: AnalysisSettings): Rules {
  const hasCopies = course.copies !== undefined || settings.rollout.stages?.some(({ mirror }) => mirror !== undefined) === true;
  if (!hasCopies) return rules;
  return { ...(kind === 'copies' ? rulesOfCopies(rules) : rules), alpha: rules.alpha / 2 };
}

function rulesOfCopies({ errors, latency, minUnits, alpha }: Rules): Rules {
  return {
    alpha,
    ...(errors && { errors: { tolerate: errors.tolerate } }),
    ...(latency && { latency: { quantiles: latency.quantiles } }),
    minUnits,
  };
}

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
