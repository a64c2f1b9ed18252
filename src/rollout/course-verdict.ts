import type { Course } from './course-state.ts';
import { combined } from './evidence/combine.ts';
import type { Verdict } from './evidence/judge.ts';
import type { AnalysisSettings } from './service-state.ts';
import { sourceFinding } from './sources/source-finding.ts';
import { newSourceState } from './sources/source-state.ts';

/** What follows from all that is known of a candidate; undefined while there is nothing to judge by. */
export function verdictOf(
  analysis: AnalysisSettings | undefined,
  course: Pick<Course, 'evidence' | 'sources'> | undefined,
): Verdict | undefined {
  const counted = course?.evidence?.verdict;
  const { sources = [] } = analysis ?? {};
  if (!analysis || !course || sources.length === 0) return counted;
  const findings = sources.map((source) => {
    const known = course.sources?.find(({ name }) => name === source.name);
    return sourceFinding(source, known ?? newSourceState(source));
  });
  return combined(isCounted(analysis) ? (counted ?? nothingCounted) : undefined, findings);
}

/** Whether what the gateway counts has a say: where it is asked nothing, other sources alone decide. */
export function isCounted({ rules, sources = [] }: AnalysisSettings): boolean {
  const { errors, latency, decisions, tallies } = rules;
  return sources.length === 0 || [errors, latency, decisions, tallies].some((rule) => rule !== undefined);
}

const nothingCounted: Verdict = { verdict: 'inconclusive', units: 0, findings: [], because: 'nothing has been counted yet' };
