import type { Course } from './course-state.ts';
import { type Counts, judge, type Verdict } from './evidence/judge.ts';
import { addCounts, noCounts } from './evidence/counts.ts';
import { safetyParts } from './experiment/arms.ts';
import type { AnalysisSettings, ServiceState } from './service-state.ts';
import type { GatewayEvidence } from './strategy.ts';

/** The course with what the gateway has counted since, judged anew. Counts of earlier lives of the gateway are kept. */
export function foldEvidence({ settings }: ServiceState, course: Course, seen: GatewayEvidence | undefined): Course {
  const { analysis } = settings.rollout;
  if (!analysis || !seen) return course;
  const known = course.evidence;
  // The gateway counts for another rollout, or not yet: what it has counted of this one may come again.
  if (known && seen.epoch === '') return course;
  const isSameLife = known === undefined || (known.epoch === seen.epoch && unitsOf(seen.counts) >= unitsOf(known.current));
  const before = isSameLife ? (known?.before ?? noCounts) : addCounts(known.before, known.current);
  const thresholds = known?.thresholds ?? seen.stableLatencies;
  // Each arm may be taken back by mistake: together no more often than is declared.
  const rules = { ...analysis.rules, alpha: analysis.rules.alpha / safetyParts(settings.rollout) };
  const judged = judge(addCounts(before, seen.counts), rules);
  const verdict: Verdict = seen.isComplete
    ? judged
    : { ...judged, verdict: 'error', because: 'some of what happened could not be counted' };
  return { ...course, evidence: { ...(thresholds && { thresholds }), before, epoch: seen.epoch, current: seen.counts, verdict } };
}

/** Whether enough has been seen to go on: no verdict against it, from at least as many requests as the rules ask for. */
export function isShown({ evidence }: Pick<Course, 'evidence'>, { rules }: AnalysisSettings): boolean {
  return (evidence?.verdict.units ?? 0) >= rules.minUnits;
}

/** Counts that have become fewer were begun anew. */
function unitsOf({ units }: Counts): number {
  return units.reduce((sum, { candidate, stable }) => sum + candidate + stable, 0);
}
